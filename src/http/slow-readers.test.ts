/** Tests clients that request a lot and read nothing, with a small limit on the memory that they may hold. */
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { ask } from '../../test/support/http/client.ts'
import { eventually } from '../../test/support/eventually.ts'
import { anArtifact, pushImage } from '../../test/support/content/manifests.ts'
import type { TestManifest } from '../../test/support/content/manifests.ts'
import { openAuthenticator } from '../../test/support/parts/open-identity.ts'
import { openServer } from '../../test/support/parts/open-server.ts'
import type { OpenServer } from '../../test/support/parts/open-server.ts'
import { RawConnection } from '../../test/support/http/raw-connection.ts'
import type { ManagementApi } from '../api/api-request.ts'
import type { Principal } from '../identity/principal.ts'
import type { CloseReason } from './observer.ts'

const mebibyte = 1024 * 1024
const manifestBytes = 8 * mebibyte
const replyMemoryBytes = 10 * mebibyte

/** More than the socket buffers hold, so that most of it stays in the server if a client reads nothing. */
function aLargeManifest(): TestManifest {
  return anArtifact({ annotations: { large: 'x'.repeat(manifestBytes) } })
}

async function hangInReply(server: OpenServer, path: string): Promise<RawConnection> {
  const connection = await RawConnection.open(server.url)
  connection.pause()
  connection.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
  return connection
}

async function openScene(crowdedReplyIdleMs: number) {
  const closed: CloseReason[] = []
  const stack = new AsyncDisposableStack()
  const server = stack.use(
    await openServer({
      limits: { replyMemoryBytes, crowdedReplyIdleMs },
      trustedProxies: ['127.0.0.1'],
      observer: { onRequest: () => undefined, onConnectionClosed: (reason) => void closed.push(reason) },
    }),
  )
  const url = `${server.url}/v2/a/b`
  const manifests = Array.from({ length: 3 }, aLargeManifest)
  for (const manifest of manifests) await pushImage(url, manifest)
  const small = anArtifact()
  await pushImage(url, small, { reference: 'small' })
  const hang = async (manifest: TestManifest): Promise<RawConnection> =>
    stack.use(await hangInReply(server, `/v2/a/b/manifests/${manifest.digest}`))
  return { server, url, manifests, closed, hang, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

test('readers that take nothing hold what the bound allows, and small replies pass them', async () => {
  await using scene = await openScene(60_000)
  const { server, url, manifests } = scene
  await Promise.all(manifests.map((manifest) => scene.hang(manifest)))
  await eventually(
    () => server.server.counts(),
    ({ repliesWaiting }) => repliesWaiting === 2,
  )
  // Only one reply of 8 MiB fits into 10 MiB; the others have not even been read from the database.
  expect(server.server.counts().replyBytesHeld).toBeLessThanOrEqual(replyMemoryBytes)
  expect(server.registry.registry.manifests.cacheStats().entries).toBe(1)
  for (const path of ['manifests/small', 'tags/list?n=100']) {
    expect((await ask(`${url}/${path}`)).status).toBe(200)
  }
  expect(scene.closed).toEqual([])
})

test('many readers of the same content count once, and none of them waits', async () => {
  await using scene = await openScene(60_000)
  const { server, manifests } = scene
  const [first] = manifests
  if (first === undefined) throw new Error('there is no manifest')
  await Promise.all(Array.from({ length: 20 }, () => scene.hang(first)))
  const counts = await eventually(
    () => server.server.counts(),
    ({ requestsInFlight, repliesWaiting, replyBytesHeld }) =>
      requestsInFlight === 20 && repliesWaiting === 0 && replyBytesHeld < 2 * manifestBytes,
  )
  expect(counts.replyBytesHeld).toBeGreaterThan(manifestBytes)
})

test('readers that take nothing are cut while others wait for their memory', async () => {
  await using scene = await openScene(100)
  const { server, url, manifests } = scene
  const [last, ...others] = manifests
  const connections = await Promise.all(others.map((manifest) => scene.hang(manifest)))
  await eventually(
    () => server.server.counts().repliesWaiting,
    (waiting) => waiting > 0,
  )
  const answer = await ask(`${url}/manifests/${last?.digest}`)
  expect(answer.body.length).toBe(last?.size)
  expect(scene.closed.length).toBeGreaterThan(0)
  expect(new Set(scene.closed)).toEqual(new Set(['reply-idle']))
  for (const connection of connections) connection.reset()
  await eventually(
    () => server.server.counts(),
    ({ replyBytesHeld, repliesWaiting, requestsInFlight }) =>
      replyBytesHeld === 0 && repliesWaiting === 0 && requestsInFlight === 0,
  )
})

test('manifests that arrive slowly hold only the memory that the limit allows, and keep no other request waiting', async () => {
  await using scene = await openScene(60_000)
  const { server, url, manifests } = scene
  const body = Buffer.alloc(1.5 * mebibyte, ' ')
  const head = `PUT /v2/a/b/manifests/slow HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`
  using stack = new DisposableStack()
  for (let index = 0; index < 20; index++) {
    const connection = stack.use(await RawConnection.open(server.url))
    connection.write(head)
    connection.write(body.subarray(1))
  }
  await eventually(
    () => server.server.counts(),
    ({ repliesWaiting }) => repliesWaiting === 19,
  )
  expect(server.server.counts().replyBytesHeld).toBe(body.length)
  const headers = { 'X-Forwarded-For': '192.0.2.7' }
  const [manifest] = manifests
  const pulled = await ask(`${url}/manifests/${manifest?.digest}`, { headers })
  expect(pulled.body.length).toBe(manifest?.size)
  const listed = await ask(`${url}/tags/list?n=10000`, { headers })
  expect(listed.status).toBe(200)
})

test('manifests that come slowly are cut while others wait for their memory', async () => {
  await using scene = await openScene(100)
  const { server, url, manifests } = scene
  const body = Buffer.alloc(replyMemoryBytes / 4, ' ')
  using stack = new DisposableStack()
  for (let client = 1; client <= 4; client++) {
    const connection = stack.use(await RawConnection.open(server.url))
    const from = `X-Forwarded-For: 192.0.2.${client}`
    connection.write(
      `PUT /v2/a/b/manifests/slow HTTP/1.1\r\nHost: x\r\n${from}\r\nContent-Length: ${body.length}\r\n\r\n{`,
    )
  }
  await eventually(
    () => server.server.counts().replyBytesHeld,
    (held) => held === replyMemoryBytes,
  )
  const pulled = await ask(`${url}/manifests/${manifests[0]?.digest}`)
  expect(pulled.body.length).toBe(manifests[0]?.size)
  expect(new Set(scene.closed)).toEqual(new Set(['body-idle']))
})

test('accounts behind one address have shares of their own in the management API too', async () => {
  const principalOf = (accountId: number): Principal => ({
    kind: 'user',
    accountId,
    name: `user${accountId}`,
    isAdmin: false,
    scopes: undefined,
  })
  const authenticator = {
    ...openAuthenticator,
    authenticate: (authorization?: string) => principalOf(Number(authorization?.split(' ')[1])),
  }
  const answered = { status: 200, headers: [], body: undefined, endpoint: undefined, fault: undefined }
  const api: ManagementApi = {
    async answer({ path, admit, reserve, signal }) {
      const isHeld = path.endsWith('/held')
      await admit({ need: 'user', target: {} })
      await reserve(2 * mebibyte)
      if (isHeld) await once(signal, 'abort')
      return answered
    },
    refuse: () => answered,
  }
  await using server = await openServer({ limits: { replyMemoryBytes }, api, authenticator })
  using stack = new DisposableStack()
  for (let index = 0; index < 2; index++) {
    const connection = stack.use(await RawConnection.open(server.url))
    connection.write('GET /api/held HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer 1\r\n\r\n')
  }
  // An account may use a quarter of the memory: the second request has to wait.
  await eventually(
    () => server.server.counts(),
    ({ replyBytesHeld, repliesWaiting }) => replyBytesHeld === 2 * mebibyte && repliesWaiting === 1,
  )
  const other = await ask(`${server.url}/api`, { headers: { authorization: 'Bearer 2' } })
  expect(other.status).toBe(200)
})
