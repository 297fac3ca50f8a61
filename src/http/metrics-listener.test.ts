import { describe, expect, test } from 'vitest'
import { createMetricsEndpoint } from './metrics-endpoint.ts'
import { startMetricsListener } from './metrics-listener.ts'

const source = { contentType: 'text/plain; version=0.0.4', render: () => Promise.resolve('up 1\n') }
const token = 'a-token-of-sixteen-characters'

async function listen(given: { token?: string; render?: () => Promise<string> } = {}) {
  const logged: string[] = []
  const listener = await startMetricsListener(
    { host: '127.0.0.1', port: 0 },
    {
      endpoint: createMetricsEndpoint(
        { ...source, ...(given.render && { render: given.render }) },
        given.token,
      ),
      log: { error: (_, message) => void logged.push(message) },
    },
  )
  return {
    url: `http://127.0.0.1:${listener.port}`,
    logged,
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  }
}

describe('the metrics listener', () => {
  test('serves /metrics and nothing else', async () => {
    await using listener = await listen()
    const answer = await fetch(`${listener.url}/metrics`)
    expect(await answer.text()).toBe('up 1\n')
    expect(answer.headers.get('content-type')).toBe(source.contentType)
    expect((await fetch(`${listener.url}/v2/`)).status).toBe(404)
    expect((await fetch(`${listener.url}/metrics`, { method: 'POST' })).status).toBe(405)
    expect(await (await fetch(`${listener.url}/metrics`, { method: 'HEAD' })).text()).toBe('')
  })

  test('cuts the connection and logs when the metrics cannot be read', async () => {
    await using listener = await listen({ render: () => Promise.reject(new Error('broken')) })
    await expect(fetch(`${listener.url}/metrics`)).rejects.toThrow('fetch failed')
    expect(listener.logged).toEqual(['the metrics could not be read'])
  })

  test.each([
    [undefined, 401],
    ['', 401],
    ['Bearer', 401],
    ['Bearer wrong', 401],
    [token, 401],
    [`Basic ${token}`, 401],
    [`Bearer ${token}x`, 401],
    [`Bearer ${token}`, 200],
    [`bearer  ${token}`, 200],
  ])('with a token answers the authorization %j with %i', async (authorization, status) => {
    const reply = await createMetricsEndpoint(source, token)(authorization)
    expect(reply.status).toBe(status)
  })

  test('G1: does not repeat the token', async () => {
    const reply = await createMetricsEndpoint(source, token)('Bearer not-the-right-token')
    expect(Buffer.from(reply.body).toString()).not.toContain(token)
  })
})
