import { describe, expect, test } from 'vitest'
import { RawConnection, statusesIn } from '../../../test/support/http/raw-connection.ts'
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

  test('renders for one request at a time on a connection, and not for a flood', async () => {
    let rendering = 0
    let most = 0
    const render = async (): Promise<string> => {
      most = Math.max(most, (rendering += 1))
      await new Promise((resolve) => setImmediate(resolve))
      rendering -= 1
      return 'up 1\n'
    }
    await using listener = await listen({ render })
    const get = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'
    using connection = await RawConnection.open(listener.url)
    connection.write(get.repeat(3))
    await connection.until((received) => statusesIn(received).length === 3)
    connection.write(get.repeat(1000))
    await connection.untilClosed()
    expect(most).toBe(1)
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
