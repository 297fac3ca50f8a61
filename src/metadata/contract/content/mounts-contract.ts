import { expect, test } from 'vitest'
import type { Digest } from '../../../oci/digest.ts'
import type { RepositoryName } from '../../../oci/repository-name.ts'
import { linkBlob } from '../../content/blobs.ts'
import type { Metadata } from '../../metadata.ts'
import { isMountable } from './mountable.ts'
import type { Repository } from '../../repositories/repositories.ts'
import type { VisibleRepositories } from '../../repositories/visible-repositories.ts'
import { aDigest, aName, createLinkedBlob, createRepository, numbers, unique } from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'

const everything: VisibleRepositories = { all: true }
const publicOnes: VisibleRepositories = { all: false, public: true, owner: undefined }
/** More links than are read around a digest. */
const crowd = 70

function link(metadata: Metadata, { id }: Repository, digest: Digest): Promise<void> {
  return metadata.transact((tx) => linkBlob(tx, { repositoryId: id, digest, now: 1 }))
}

async function createCrowd(metadata: Metadata): Promise<Digest> {
  const digest = await createLinkedBlob(metadata, await createRepository(metadata))
  for (const _ of numbers(crowd)) await link(metadata, await createRepository(metadata), digest)
  return digest
}

export function testMounts({ metadata }: ContractSubject): void {
  test('mounts a blob from the named repository only', async () => {
    const source = await createRepository(metadata())
    const other = await createRepository(metadata())
    const digest = await createLinkedBlob(metadata(), source)
    const from = (name: RepositoryName, visible: VisibleRepositories): Promise<boolean> =>
      isMountable(metadata().reader, { digest, from: name, visible, target: aName() })
    expect(await from(source.name, everything)).toBe(true)
    expect(await from(source.name, publicOnes)).toBe(false)
    expect(await from(other.name, everything)).toBe(false)
    expect(await from(aName(), everything)).toBe(false)
  })

  test('mounts a blob from any repository, or from public ones and the target only', async () => {
    const hidden = await createRepository(metadata())
    const digest = await createLinkedBlob(metadata(), hidden)
    const { reader } = metadata()
    const target = aName()
    expect(await isMountable(reader, { digest, visible: everything, target })).toBe(true)
    expect(await isMountable(reader, { digest, visible: publicOnes, target })).toBe(false)
    expect(await isMountable(reader, { digest, visible: publicOnes, target: hidden.name })).toBe(true)
    const narrow = { digest, visible: everything, target }
    expect(await isMountable(reader, { ...narrow, within: [] })).toBe(false)
    expect(await isMountable(reader, { ...narrow, within: [aName(), hidden.name] })).toBe(true)
    await link(metadata(), await createRepository(metadata(), { visibility: 'public' }), digest)
    expect(await isMountable(reader, { ...narrow, within: [] })).toBe(true)
    expect(await isMountable(reader, { digest, visible: publicOnes, target })).toBe(true)
    expect(await isMountable(reader, { digest: aDigest(), visible: everything, target })).toBe(false)
  })

  test('finds an own, a granted, a named and the target repository among many that have the blob', async () => {
    const { reader } = metadata()
    const digest = await createCrowd(metadata())
    const owner = unique('own')
    const own = await createRepository(metadata(), { name: `${owner}/app` as RepositoryName })
    await link(metadata(), own, digest)
    const ofOwner = { all: false, public: false, owner } as const
    expect(await isMountable(reader, { digest, visible: ofOwner, target: aName() })).toBe(true)
    const range = { from: own.name, to: `${own.name} ` }
    const granted = { ranges: [range], whole: [range], has: (name: string) => name === own.name }
    const ofGrants = { all: false, public: false, owner: undefined, granted } as const
    expect(await isMountable(reader, { digest, visible: ofGrants, target: aName() })).toBe(true)
    const named = { digest, visible: everything, target: aName(), within: [own.name] }
    expect(await isMountable(reader, named)).toBe(true)
    expect(await isMountable(reader, { digest, visible: publicOnes, target: own.name })).toBe(true)
    expect(await isMountable(reader, { digest, visible: everything, target: aName() })).toBe(true)
  })
}
