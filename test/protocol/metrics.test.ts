/** `/metrics` with a token and on its own listener, and the content of its labels. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { startInProcess } from '../support/parts/in-process.ts'

const token = 'a token of the metrics'
const behindToken = { metrics: { token } }
const emptyDigest = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

async function read(url: string, authorization = `Bearer ${token}`) {
  const answer = await fetch(`${url}/metrics`, { headers: { authorization } })
  return { status: answer.status, text: await answer.text() }
}

describe('metrics', () => {
  test('exist only if they are configured', async () => {
    await using registry = await startInProcess()
    expect((await read(registry.url)).status).toBe(404)
    expect(registry.app.metricsPort).toBeUndefined()
  })

  test('are served on the main listener to clients with the token', async () => {
    await using registry = await startInProcess(behindToken)
    expect((await read(registry.url, 'Bearer wrong')).status).toBe(401)
    expect((await fetch(`${registry.url}/metrics`)).status).toBe(401)
    expect(
      (await fetch(`${registry.url}/v2/`, { headers: { authorization: `Bearer ${token}` } })).status,
    ).toBe(401)
    const { status, text } = await read(registry.url)
    expect(status).toBe(200)
    expect(text).toMatch(/^lading_http_connections [1-9]/m)
  })

  test('are served on a separate listener', async () => {
    await using registry = await startInProcess({ metrics: { port: 0 } })
    const answer = await fetch(`http://127.0.0.1:${registry.app.metricsPort}/metrics`)
    expect(answer.headers.get('content-type')).toContain('text/plain')
    expect(await answer.text()).toContain('lading_build_info')
    expect((await read(registry.url)).status).toBe(404)
  })

  test('G1: count requests, bytes, caches, transactions and logins, and contain no names', async () => {
    await using registry = await startInProcess(behindToken)
    const repository = `${registry.url}/v2/secret-owner/secret-image`
    const push = await fetch(`${repository}/blobs/uploads/?digest=${emptyDigest}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/octet-stream' },
      body: new Uint8Array(),
    })
    expect(push.status).toBe(201)
    for (let i = 0; i < 3; i++) await (await fetch(`${repository}/blobs/${emptyDigest}`)).arrayBuffer()
    await fetch(`${repository}/blobs/uploads/`, { method: 'POST' })
    await fetch(`${repository}/manifests/secret-tag`)
    const authorization = `Basic ${Buffer.from('secret-user:secret-password').toString('base64')}`
    expect((await fetch(`${registry.url}/v2/`, { headers: { authorization } })).status).toBe(401)
    const { text } = await read(registry.url)
    for (const line of [
      'lading_http_requests_total{route="end-2",method="GET",status="2xx"} 3',
      'lading_http_requests_total{route="end-3",method="GET",status="4xx"} 1',
      'lading_cache_hits_total{cache="blob"} 2',
      'lading_cache_misses_total{cache="blob"} 1',
      'lading_upload_sessions 1',
      'lading_http_requests_waiting 0',
      'lading_http_reply_memory_bytes 0',
      'lading_http_replies_waiting 0',
      'lading_logins_total{result="refused"} 1',
      'lading_store_call_duration_seconds_count{operation="commit"} 1',
    ]) {
      expect(text).toContain(line)
    }
    expect(text).toMatch(/^lading_database_transaction_duration_seconds_count\{result="ok"\} [1-9]/m)
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds /m)
    expect(text).not.toMatch(/secret|e3b0c442|127\.0\.0\.1/)
  })
})

describe('traces', () => {
  test('G1: have the route, the status and the inner work of a request, and contain no names', async () => {
    const bodies: string[] = []
    const collector = createServer((request, response) => {
      request.setEncoding('utf8').on('data', (part: string) => void bodies.push(part))
      request.once('end', () => response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}'))
    })
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
    const { port } = collector.address() as AddressInfo
    {
      await using registry = await startInProcess({
        tracing: { endpoint: `http://127.0.0.1:${port}/v1/traces` },
      })
      const uploads = `${registry.url}/v2/secret-owner/secret-image/blobs/uploads/?digest=${emptyDigest}`
      const authorization = `Basic ${Buffer.from('secret-user:secret-password').toString('base64')}`
      await fetch(uploads, { method: 'POST', headers: { authorization } })
      await fetch(uploads, { method: 'POST', headers: { 'Content-Type': 'application/octet-stream' } })
    }
    collector.closeAllConnections()
    await new Promise((resolve) => collector.close(resolve))
    const sent = bodies.join('')
    expect(sent).toContain('end-4a')
    expect(sent).toContain('database.transaction')
    expect(sent).toContain('store.commit')
    expect(sent).not.toMatch(/secret|e3b0c442/)
  })
})
