import { describe, expect, onTestFinished, test } from 'vitest'

import { ask } from '../support/http/client.ts'
import { eventually } from '../support/eventually.ts'
import type { GeneratedContent } from '../support/content/generated-content.ts'
import { generateContent } from '../support/content/generated-content.ts'
import { aRepositoryName } from '../support/content/random.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import { cleanData, compareData, queryRows } from '../support/processes/stopped-data.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import {
  askOffset,
  beginChunk,
  beginPatch,
  closeUpload,
  digestAt,
  offsetOf,
  startUpload,
} from '../support/uploads/upload-client.ts'

const mebibyte = 1024 * 1024
const gibibyte = 1024 * mebibyte
/** The most bytes that a cut connection may cost: those in the sockets. Everything that the registry had read is kept. */
const inSockets = 16 * mebibyte
/**
 * The most bytes that `kill -9` may cost under full load: those in the sockets, the record in progress and the data that arrives
 * meanwhile.
 */
const underLoad = (32 + 32) * mebibyte + inSockets

/** Waits until the row of the only session has this many bytes: a second after the peer stalls, by the registry's own timer. */
async function expectRecorded(dataDir: string, bytes: number): Promise<void> {
  await eventually(
    () => queryRows(dataDir, 'select byte_offset from upload')[0]?.['byte_offset'],
    (recorded) => recorded === bytes,
  )
}

/** Starts a registry that can be killed and restarted on the same data; the test removes everything at its end. */
async function aRestartableRegistry() {
  const folder = await tempFolder('lading-resume')
  let registry = await startRegistry({ dataDir: folder.path })
  onTestFinished(async () => {
    await registry[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })
  return {
    dataDir: folder.path,
    get url() {
      return registry.url
    },
    kill: () => registry.kill('SIGKILL'),
    stop: () => registry.stop(),
    async start(): Promise<RunningRegistry> {
      registry = await startRegistry({ dataDir: folder.path })
      return registry
    },
  }
}

/** Returns the session's URL at the restarted registry, which has another port. */
function movedTo(url: string, session: URL): URL {
  return new URL(`${session.pathname}${session.search}`, url)
}

function portion(content: GeneratedContent, share: number): number {
  return Math.round(content.size * share)
}

describe('an upload of 1 GiB', () => {
  test('end-5, end-13: streamed, survives a cut connection and kill -9 of the server', async () => {
    const content = generateContent(gibibyte, 1)
    const registry = await aRestartableRegistry()
    const name = aRepositoryName()
    let session = await startUpload(`${registry.url}/v2/${name}`)

    const cutAt = portion(content, 0.4)
    const first = await beginPatch(session, content.read(0, cutAt))
    first.cut()
    const afterCut = await askOffset(session)
    expect(afterCut).toBeLessThanOrEqual(cutAt)
    expect(afterCut).toBeGreaterThan(cutAt - inSockets)

    const killAt = portion(content, 0.7)
    const second = await beginPatch(session, content.read(afterCut, killAt))
    await expectRecorded(registry.dataDir, killAt)
    await registry.kill()
    second.cut()

    const restarted = await registry.start()
    session = movedTo(restarted.url, session)
    const afterKill = await askOffset(session)
    expect(afterKill).toBe(killAt)

    const third = await beginPatch(session, content.read(afterKill))
    const accepted = await third.end()
    expect(accepted.status).toBe(202)
    expect(offsetOf(accepted)).toBe(content.size)
    expect((await closeUpload(session, content.digest)).status).toBe(201)
    expect(await digestAt(`${restarted.url}/v2/${name}/blobs/${content.digest}`)).toBe(content.digest)
    await restarted.stop()
    await cleanData(registry.dataDir)
    expect(await compareData(registry.dataDir)).toEqual([])
  })

  test('end-5, end-13: in Content-Range chunks, survives a cut connection and kill -9 of the server', async () => {
    const content = generateContent(gibibyte, 2)
    const registry = await aRestartableRegistry()
    const name = aRepositoryName()
    let session = await startUpload(`${registry.url}/v2/${name}`)
    const chunk = 128 * mebibyte
    const send = async (start: number, end: number, sent = end) => {
      const request = await beginChunk(session, { start, end }, content.read(start, sent))
      return request
    }
    const sendUpTo = async (start: number, end: number): Promise<void> => {
      for (let offset = start; offset < end; offset += chunk) {
        const accepted = await (await send(offset, Math.min(end, offset + chunk))).end()
        expect(accepted.status).toBe(202)
        expect(offsetOf(accepted)).toBe(Math.min(end, offset + chunk))
      }
    }

    await sendUpTo(0, 3 * chunk)
    const cutAt = portion(content, 0.4)
    ;(await send(3 * chunk, 4 * chunk, cutAt)).cut()
    const afterCut = await askOffset(session)
    expect(afterCut).toBeGreaterThanOrEqual(3 * chunk)
    expect(afterCut).toBeLessThanOrEqual(cutAt)

    await sendUpTo(afterCut, 5 * chunk)
    const killAt = portion(content, 0.7)
    const killed = await send(5 * chunk, 6 * chunk, killAt)
    await registry.kill()
    killed.cut()

    const restarted = await registry.start()
    session = movedTo(restarted.url, session)
    const afterKill = await askOffset(session)
    expect(afterKill).toBeGreaterThan(Math.max(5 * chunk - 1, killAt - underLoad))
    expect(afterKill).toBeLessThanOrEqual(killAt)

    await sendUpTo(afterKill, content.size)
    expect((await closeUpload(session, content.digest)).status).toBe(201)
    expect(await digestAt(`${restarted.url}/v2/${name}/blobs/${content.digest}`)).toBe(content.digest)
    await restarted.stop()
    await cleanData(registry.dataDir)
    expect(await compareData(registry.dataDir)).toEqual([])
  })
})

describe('an upload session', () => {
  test.for([{ name: 'a stream' }, { name: 'a chunk', range: true }])(
    'end-5, end-13: keeps 12 MB of $name whose peer stalled a second before kill -9',
    async ({ range }) => {
      const content = generateContent(20_000_000, 7)
      const registry = await aRestartableRegistry()
      const name = aRepositoryName()
      const session = await startUpload(`${registry.url}/v2/${name}`)
      const sent = content.read(0, 12_000_000)
      const patch =
        range === true
          ? await beginChunk(session, { start: 0, end: content.size }, sent)
          : await beginPatch(session, sent)
      await expectRecorded(registry.dataDir, 12_000_000)
      await registry.kill()
      patch.cut()

      const { url } = await registry.start()
      const moved = movedTo(url, session)
      expect(await askOffset(moved)).toBe(12_000_000)
      const rest = await (await beginPatch(moved, content.read(12_000_000))).end()
      expect([rest.status, offsetOf(rest)]).toEqual([202, content.size])
      expect((await closeUpload(moved, content.digest)).status).toBe(201)
      expect(await digestAt(`${url}/v2/${name}/blobs/${content.digest}`)).toBe(content.digest)
    },
  )

  test('end-6: is closed after kill -9 between its PATCH and its PUT', async () => {
    const content = generateContent(64 * mebibyte, 3)
    const registry = await aRestartableRegistry()
    const name = aRepositoryName()
    const session = await startUpload(`${registry.url}/v2/${name}`)
    expect((await (await beginPatch(session, content.read())).end()).status).toBe(202)
    await registry.kill()

    const { url } = await registry.start()
    const moved = movedTo(url, session)
    expect(await askOffset(moved)).toBe(content.size)
    expect((await closeUpload(moved, content.digest)).status).toBe(201)
    expect(await digestAt(`${url}/v2/${name}/blobs/${content.digest}`)).toBe(content.digest)
  })

  test('end-6: hides its bytes until the PUT, even after kill -9', async () => {
    const content = generateContent(mebibyte, 4)
    const registry = await aRestartableRegistry()
    const name = aRepositoryName()
    const session = await startUpload(`${registry.url}/v2/${name}`)
    expect((await (await beginPatch(session, content.read())).end()).status).toBe(202)
    expect((await ask(`${registry.url}/v2/${name}/blobs/${content.digest}`)).status).toBe(404)
    await registry.kill()
    const { url } = await registry.start()
    expect((await ask(`${url}/v2/${name}/blobs/${content.digest}`)).status).toBe(404)
  })

  test('end-5: passes to a second PATCH while the first hangs, and the first is answered', async () => {
    const content = generateContent(96 * mebibyte, 5)
    await using registry = await startRegistry()
    const name = aRepositoryName()
    const session = await startUpload(`${registry.url}/v2/${name}`)
    const hangsAt = 40 * mebibyte
    await using first = await beginPatch(session, content.read(0, hangsAt))
    const offset = await eventually(
      () => askOffset(session),
      (found) => found > 0,
    )

    const second = await (await beginPatch(session, content.read(offset))).end()
    expect(second.status).toBe(202)
    expect(offsetOf(second)).toBe(content.size)
    const answer = await first.answer
    expect(answer.status).toBe(416)
    expect((await closeUpload(session, content.digest)).status).toBe(201)
    expect(await digestAt(`${registry.url}/v2/${name}/blobs/${content.digest}`)).toBe(content.digest)
  })

  test('end-13: reports an offset that the next PATCH without Content-Range can rely on', async () => {
    const content = generateContent(64 * mebibyte, 6)
    await using registry = await startRegistry()
    const name = aRepositoryName()
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const session = await startUpload(`${registry.url}/v2/${name}`)
      ;(await beginPatch(session, content.read(0, (attempt + 3) * 5_000_000))).cut()
      const offset = await askOffset(session)
      const rest = await (await beginPatch(session, content.read(offset))).end()
      expect([rest.status, offsetOf(rest)]).toEqual([202, content.size])
      expect((await closeUpload(session, content.digest)).status).toBe(201)
    }
  })
})
