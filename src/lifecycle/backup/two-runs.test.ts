/** Tests two backups to one place, for example when a paused backup continues after another has taken over. */
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../../test/support/processes/temp-folder.ts'
import { digestBytes, type Digest } from '../../oci/digest.ts'
import type { BackupTarget } from './archives/backup-place.ts'
import { findFileSize } from './archives/files.ts'
import { openBackupTarget } from './archives/open-place.ts'
import { formatSnapshotName, type SnapshotInfo } from './archives/snapshot-info.ts'

const installation = 'installation'
const now = Date.parse('2026-11-30T09:00:00Z')

function openTarget(place: string, at = now): Promise<BackupTarget> {
  return openBackupTarget({ place, name: formatSnapshotName(at), installation, now: at })
}

function aBlob(text: string) {
  const bytes = Buffer.from(text)
  return { bytes, digest: digestBytes(bytes), size: bytes.byteLength, storageKey: 'ab' }
}

async function finish(target: BackupTarget): Promise<void> {
  const info: SnapshotInfo = {
    name: target.name,
    installation,
    lading: '0',
    schema: '0',
    created: '',
    repositories: 0,
    manifests: 0,
    blobs: 1,
    bytes: 1,
    metadata: { bytes: 0, digest: digestBytes(Buffer.alloc(0)) },
    damaged: [] satisfies Digest[],
  }
  await target.finish(info)
}

/** Resolves when the sink has the first half; `goOn` sends the second half, or an error. */
function beginBlob(target: BackupTarget, { bytes, ...blob }: ReturnType<typeof aBlob>) {
  const { promise: isHalfDone, resolve: halfDone } = Promise.withResolvers<void>()
  const { promise: rest, resolve: goOn, reject: fail } = Promise.withResolvers<void>()
  const done = target.putBlob(blob, async (sink) => {
    await sink.write(bytes.subarray(0, bytes.length / 2))
    halfDone()
    await rest
    await sink.write(bytes.subarray(bytes.length / 2))
  })
  done.catch(() => undefined)
  return { isHalfDone, goOn, fail, done }
}

async function putAll(target: BackupTarget, blob: ReturnType<typeof aBlob>): Promise<void> {
  await writeFile(target.metadataFile, 'metadata')
  await target.putMetadata()
  await target.putBlob(blob, (sink) => sink.write(blob.bytes))
}

/** Starts an archive, pauses it in a blob, and completes another one of the same name. */
async function twoArchives() {
  const folder = await tempFolder()
  const place = join(folder.path, 'b.tar')
  const stopped = await openTarget(place)
  await writeFile(stopped.metadataFile, 'metadata')
  await stopped.putMetadata()
  const blob = beginBlob(stopped, aBlob('s'.repeat(100_000)))
  await blob.isHalfDone
  {
    await using other = await openTarget(place, now + 1)
    await putAll(other, aBlob('o'.repeat(200_000)))
    await finish(other)
  }
  const archive = await readFile(place)
  const dispose = () => folder[Symbol.asyncDispose]()
  return { folder: folder.path, place, stopped, blob, archive, [Symbol.asyncDispose]: dispose }
}

describe('a backup that continues after another has taken over', () => {
  test('leaves the archive of the other unchanged when it fails', async () => {
    await using two = await twoArchives()
    two.blob.fail(new Error('the hold is lost'))
    await expect(two.blob.done).rejects.toThrow('the hold is lost')
    await two.stopped[Symbol.asyncDispose]()
    expect((await readFile(two.place)).equals(two.archive)).toBe(true)
    expect(await readdir(two.folder)).toEqual(['b.tar'])
  })

  test('leaves the archive of the other unchanged when it finishes', async () => {
    await using two = await twoArchives()
    two.blob.goOn()
    await two.blob.done
    await expect(finish(two.stopped)).rejects.toThrow('already exists')
    await two.stopped[Symbol.asyncDispose]()
    expect((await readFile(two.place)).equals(two.archive)).toBe(true)
    expect(await readdir(two.folder)).toEqual(['b.tar'])
  })

  test('does not give its name to the blob that the other copies', async () => {
    await using folder = await tempFolder()
    const place = join(folder.path, 'backups')
    const [own, others] = [aBlob('s'.repeat(1_000)), aBlob('o'.repeat(1_000))]
    await using stopped = await openTarget(place)
    const first = beginBlob(stopped, own)
    await first.isHalfDone
    await using other = await openTarget(place, now + 1)
    await writeFile(other.metadataFile, 'metadata')
    await other.putMetadata()
    const second = beginBlob(other, others)
    await second.isHalfDone
    first.goOn()
    await expect(first.done).rejects.toThrow('ENOENT')
    await stopped[Symbol.asyncDispose]()
    second.goOn()
    await second.done
    await finish(other)
    expect([await stopped.holds(own), await other.holds(others)]).toEqual([false, true])
  })
})

describe('the name of a snapshot', () => {
  test('sorts after the existing names, also when the clock was ahead', async () => {
    await using folder = await tempFolder()
    const names: string[] = []
    for (const at of [now + 3_600_000, now, now + 3_600_000]) {
      await using target = await openTarget(folder.path, at)
      await putAll(target, aBlob('content'))
      await finish(target)
      names.push(target.name)
    }
    expect(names).toEqual(['20261130T100000.000Z', '20261130T100000.001Z', '20261130T100000.002Z'])
    for (const name of names)
      expect(await findFileSize(join(folder.path, 'snapshots', name, 'snapshot.json'))).toBeGreaterThan(0)
  })
})
