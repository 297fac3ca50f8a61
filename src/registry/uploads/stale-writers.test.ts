/**
 * Tests writers that lost their session without noticing, because the disk hung for longer than a newcomer waits. Uses real
 * files.
 */
import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bodyOf, caller, openRegistry } from '../../../test/support/parts/open-registry.ts'
import { tempFolder } from '../../../test/support/processes/temp-folder.ts'
import { FailingBlobStore, type FaultPlan } from '../../blob-store/contract/failing-blob-store.ts'
import { openFilesystemBlobStore } from '../../blob-store/filesystem/filesystem-blob-store.ts'
import { BufferPool } from '../../lib/memory/buffer-pool.ts'
import { systemClock } from '../../lib/clock.ts'
import { systemIds } from '../../lib/ids.ts'
import { digestBytes } from '../../oci/digest.ts'
import { parseRepositoryName } from '../../oci/repository-name.ts'

const repository = parseRepositoryName('acme/web')
const { signal } = new AbortController()

/** Returns the blob files whose bytes do not match the digest in their names. */
async function brokenFiles(root: string): Promise<string[]> {
  const broken: string[] = []
  for (const name of await readdir(join(root, 'blobs'), { recursive: true })) {
    const encoded = /_sha256-([0-9a-f]+)$/.exec(name)?.[1]
    if (encoded === undefined) continue
    const bytes = await readFile(join(root, 'blobs', name))
    if (createHash('sha256').update(bytes).digest('hex') !== encoded) broken.push(name)
  }
  return broken
}

async function setUp(plan: FaultPlan) {
  await using stack = new AsyncDisposableStack()
  const { path: root } = stack.use(await tempFolder('lading-stale'))
  const parts = { buffers: new BufferPool(), clock: systemClock, ids: systemIds }
  const files = stack.use(await openFilesystemBlobStore({ root, ...parts }))
  const wrapStore = () => new FailingBlobStore(files, plan)
  // Short, so that the test does not wait: the holder hangs until the test releases it.
  const open = stack.use(await openRegistry({ takeoverMs: 20, wrapStore }))
  const resources = stack.move()
  return { open, root, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

/** Holds the calls with these counts until the test releases them. */
function holding(operation: 'write' | 'sync' | 'openSegment' | 'commit', ...counts: number[]) {
  const gate = Promise.withResolvers<void>()
  const arrived = Promise.withResolvers<void>()
  const plan: FaultPlan = (call) => {
    if (call.operation !== operation || !counts.includes(call.count)) return undefined
    arrived.resolve()
    return { kind: 'wait', until: gate.promise }
  }
  return { plan, arrived: arrived.promise, letGo: () => gate.resolve() }
}

describe('a writer that hangs longer than a newcomer waits', () => {
  test.for(['write', 'sync', 'openSegment'] as const)(
    'in %s changes nothing that was committed in the meantime',
    async (operation) => {
      const held = holding(operation, 2)
      await using set = await setUp(held.plan)
      const { open, root } = set
      const { uploads } = open.registry
      const request = { repository, caller, id: (await uploads.start({ repository, caller })).id }
      const bytes = randomBytes(100_000)
      await uploads.append({ ...request, body: bodyOf([bytes]), signal })
      // Large enough that the store writes at once.
      const hung = uploads.append({ ...request, body: bodyOf([Buffer.alloc(300_000, 'x')]), signal })
      const outcome = hung.catch((error: unknown) => error)
      await held.arrived
      const digest = digestBytes(bytes)
      expect(await uploads.commit({ ...request, digest, signal })).toEqual({ digest, size: 100_000 })
      held.letGo()
      expect(await outcome).toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' })
      expect(await brokenFiles(root)).toEqual([])
      expect(await open.registry.blobs.stat(repository, digest)).toEqual({ digest, size: 100_000 })
    },
  )

  test('in its commit leaves the blob of the newcomer unchanged', async () => {
    const held = holding('commit', 1)
    await using set = await setUp(held.plan)
    const { open, root } = set
    const { uploads } = open.registry
    const request = { repository, caller, id: (await uploads.start({ repository, caller })).id }
    const bytes = randomBytes(100_000)
    const digest = digestBytes(bytes)
    await uploads.append({ ...request, body: bodyOf([bytes]), signal })
    const hung = uploads.commit({ ...request, digest, signal }).catch((error: unknown) => error)
    await held.arrived
    expect(await uploads.commit({ ...request, digest, signal })).toMatchObject({ digest })
    held.letGo()
    // Its blob exists, although another request stored it.
    expect(await hung).toEqual({ digest, size: 100_000 })
    expect(await brokenFiles(root)).toEqual([])
    expect(await open.registry.blobs.stat(repository, digest)).toEqual({ digest, size: 100_000 })
  })
})

describe('an upload of 300 chunks', () => {
  test('stays one segment and is committed without a copy', async () => {
    let opened = 0
    await using set = await setUp(({ operation }) => {
      if (operation === 'readSegments') throw new Error('the bytes were read again')
      if (operation === 'openSegment') opened += 1
      return undefined
    })
    const { open, root } = set
    const { uploads } = open.registry
    const request = { repository, caller, id: (await uploads.start({ repository, caller })).id }
    const bytes = randomBytes(30_000)
    for (let start = 0; start < bytes.length; start += 100) {
      const body = bodyOf([bytes.subarray(start, start + 100)])
      await uploads.append({ ...request, body, start, length: 100, signal })
    }
    expect(opened).toBe(300)
    expect(await readdir(join(root, 'uploads'))).toHaveLength(1)
    const [name = ''] = await readdir(join(root, 'uploads'))
    expect(name).toMatch(/\.0$/)
    await uploads.commit({ ...request, digest: digestBytes(bytes), signal })
    expect(await brokenFiles(root)).toEqual([])
  })
})
