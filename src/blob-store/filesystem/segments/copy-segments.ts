/** Reads the recorded bytes of an unfinished upload, in order. */
import type { ByteSink, Segment, StorageKey } from '../../blob-store.ts'
import { UploadMissing } from '../../errors.ts'
import type { CopyDeps } from '../files/copy-file.ts'
import { copyFile } from '../files/copy-file.ts'
import { closeFile, openFile } from '../files/file-io.ts'
import type { Layout } from '../layout.ts'
import { segmentPath } from '../layout.ts'
import { isAbsent, translateError } from '../files/translate-error.ts'

export async function copySegments(
  deps: CopyDeps & { readonly layout: Layout },
  { key, segments }: { key: StorageKey; segments: readonly Segment[] },
  sink: ByteSink,
): Promise<void> {
  for (const { generation, size } of segments) {
    if (size === 0) continue
    const fd = await openSegmentFile(key, segmentPath(deps.layout, key, generation), 'r')
    try {
      const tooShort = (): Error => new UploadMissing(key)
      await copyFile({ fd, start: 0, end: size, tooShort }, sink, { deps, signal: undefined })
    } finally {
      await closeFile(fd)
    }
  }
}

/** Opens an existing segment. */
export async function openSegmentFile(key: StorageKey, path: string, flags: 'r' | 'r+'): Promise<number> {
  try {
    return await openFile(path, flags)
  } catch (error) {
    if (isAbsent(error)) throw new UploadMissing(key, { cause: error })
    throw translateError(error, 'open an upload')
  }
}
