/** Tests the events about requests that metrics receive. */
import { describe, expect, test } from 'vitest'
import { ask, openRequest } from '../../test/support/http/client.ts'
import { eventually } from '../../test/support/eventually.ts'
import { openServer } from '../../test/support/parts/open-server.ts'
import type { OpenServer } from '../../test/support/parts/open-server.ts'
import { aRandomBlob } from '../../test/support/content/random.ts'
import { openSession } from '../../test/support/uploads/upload-session.ts'
import type { RequestSeen } from './observer.ts'

async function openObserved(): Promise<{ server: OpenServer; seen: RequestSeen[] }> {
  const seen: RequestSeen[] = []
  const server = await openServer({ observer: { onRequest: (request) => void seen.push(request) } })
  return { server, seen }
}

function untilSeen(seen: readonly RequestSeen[], count: number): Promise<number> {
  return eventually(
    () => seen.length,
    (length) => length === count,
  )
}

describe('the observer', () => {
  test('receives each request once: route, status, time and bytes', async () => {
    const { server, seen } = await openObserved()
    await using _ = server
    const blob = aRandomBlob(300_000)
    await ask(`${server.url}/v2/a/b/blobs/uploads/?digest=${blob.digest}`, {
      method: 'POST',
      body: blob.bytes,
    })
    await ask(`${server.url}/v2/a/b/blobs/${blob.digest}`)
    await ask(`${server.url}/v2/a/b/blobs/${blob.digest}`, { method: 'HEAD' })
    await ask(`${server.url}/v2/a/b/blobs/${blob.digest}`, { headers: { range: 'bytes=0-99' } })
    await ask(`${server.url}/nowhere?secret=1`)
    await ask(`${server.url}/v2/`, { method: 'PURGE' })
    await untilSeen(seen, 6)
    expect(seen).toMatchObject([
      { route: expect.stringContaining('end-4b') as string, method: 'POST', status: 201, bytesIn: 300_000 },
      { route: 'end-2', method: 'GET', status: 200, bytesIn: 0, bytesOut: 300_000 },
      { route: 'end-2', method: 'HEAD', status: 200, bytesOut: 0 },
      { route: 'end-2', method: 'GET', status: 206, bytesOut: 100 },
      { route: undefined, method: 'GET', status: 404 },
      { route: undefined, method: 'PURGE', status: 405 },
    ])
    for (const { durationMs } of seen) expect(durationMs).toBeGreaterThan(0)
    expect(JSON.stringify(seen)).not.toContain('secret')
  })

  test('receives a client that left before it had an answer, with the bytes it sent', async () => {
    const { server, seen } = await openObserved()
    await using _ = server
    const session = await openSession(`${server.url}/v2/a/b`)
    await using request = openRequest(session, { method: 'PATCH', headers: { 'content-length': 1000 } })
    await request.write(Buffer.alloc(600))
    await eventually(
      () => server.server.counts().requestsInFlight,
      (inFlight) => inFlight === 1,
    )
    request.cut()
    await untilSeen(seen, 2)
    expect(seen.at(-1)).toMatchObject({ route: 'end-5', method: 'PATCH', status: undefined, bytesIn: 600 })
    expect(server.server.counts().requestsInFlight).toBe(0)
  })
})
