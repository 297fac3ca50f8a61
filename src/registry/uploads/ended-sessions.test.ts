/** Tests sessions that end while their bytes are being committed: the store keeps no bytes without a row. */
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { bodyOf, caller, openRegistry, type OpenRegistry } from '../../../test/support/parts/open-registry.ts'
import type { BlobStore } from '../../blob-store/blob-store.ts'
import { ForwardingBlobStore } from '../../blob-store/forwarding-blob-store.ts'
import { removeDeadKeys } from '../../lifecycle/remove-dead-keys.ts'
import { deleteRepository } from '../../metadata/deletion/repository-deletion.ts'
import { digestBytes } from '../../oci/digest.ts'
import { parseRepositoryName } from '../../oci/repository-name.ts'

const repository = parseRepositoryName('acme/web')
const { signal } = new AbortController()

type Upload = (open: OpenRegistry, bytes: Uint8Array) => Promise<unknown>

const inOneRequest: Upload = ({ registry }, bytes) =>
  registry.uploads.push({ repository, caller, digest: digestBytes(bytes), body: bodyOf([bytes]), signal })

const inSession: Upload = async ({ registry: { uploads } }, bytes) => {
  const session = { repository, caller, id: (await uploads.start({ repository, caller })).id }
  await uploads.append({ ...session, body: bodyOf([bytes]), signal })
  return uploads.commit({ ...session, digest: digestBytes(bytes), signal })
}

const storedKeys = async ({ store }: OpenRegistry) =>
  (await Array.fromAsync(store.list())).map(({ key }) => key)

/** Another request deletes the repository just after the store has the bytes of the second blob. */
async function aRepositoryThatGoes(afterwards: (open: OpenRegistry) => Promise<unknown>) {
  let onCommitted = async (): Promise<void> => undefined
  class Committing extends ForwardingBlobStore {
    override async commit(...args: Parameters<BlobStore['commit']>): Promise<void> {
      await super.commit(...args)
      await onCommitted()
    }
  }
  const open = await openRegistry({ wrapStore: (store) => new Committing(store) })
  await inOneRequest(open, randomBytes(10))
  const before = await storedKeys(open)
  onCommitted = async () => {
    await deleteRepository(open.metadata, { name: repository, now: open.clock.now() })
    await afterwards(open)
  }
  return { open, before }
}

describe.each([
  ['a push in one request', inOneRequest],
  ['a session', inSession],
])('%s whose repository is deleted in the meantime', (_, upload) => {
  test.each<[string, (open: OpenRegistry) => Promise<unknown>]>([
    ['before its dead key is removed', () => Promise.resolve()],
    ['after its dead key is removed', (open) => removeDeadKeys(open, signal)],
  ])('leaves no bytes behind, also %s', async (_name, afterwards) => {
    const { open, before } = await aRepositoryThatGoes(afterwards)
    await using _open = open
    await expect(upload(open, randomBytes(1_000))).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' })
    expect(open.deadKeys()).toBeGreaterThan(0)
    await removeDeadKeys(open, signal)
    expect(await storedKeys(open)).toEqual(before)
  })
})

test('a session that may not create its repository ends and leaves no bytes behind', async () => {
  await using open = await openRegistry()
  const { uploads } = open.registry
  const updater = { ...caller, push: { create: false, update: true } }
  const session = {
    repository,
    caller: updater,
    id: (await uploads.start({ repository, caller: updater })).id,
  }
  const bytes = randomBytes(1_000)
  await uploads.append({ ...session, body: bodyOf([bytes]), signal })
  const closing = uploads.commit({ ...session, digest: digestBytes(bytes), signal })
  await expect(closing).rejects.toMatchObject({ code: 'DENIED' })
  await expect(uploads.status(session)).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' })
  await removeDeadKeys(open, signal)
  expect(await storedKeys(open)).toEqual([])
})
