import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { aKey, storedAs } from '../contract/support.ts'
import { blobPath, createLayout, joinPath, parseBlobName, parseUploadName, segmentPath } from './layout.ts'

const layout = createLayout('/root')

describe('layout', () => {
  test('reads back every name it makes', () => {
    const key = aKey()
    const stored = storedAs(key, 'content')
    expect(parseBlobName(nameIn(blobPath(layout, stored)))).toEqual(stored)
    expect(parseUploadName(nameIn(segmentPath(layout, key, 12)))).toBe(key)
    expect(parseUploadName(nameIn(joinPath(layout, key, aKey())))).toBe(key)
  })

  test.for([
    ['too short a key', `abc_sha256-${'0'.repeat(64)}`],
    ['upper-case hex', `${'A'.repeat(32)}_sha256-${'0'.repeat(64)}`],
    ['a digest of the wrong length', `${'a'.repeat(32)}_sha256-00`],
    ['no digest', 'a'.repeat(32)],
    ['a suffix', `${'a'.repeat(32)}_sha256-${'0'.repeat(64)}.bak`],
  ])('knows no blob named with %s', ([, name]) => {
    expect(parseBlobName(name!)).toBeUndefined()
  })

  test.for(['probe', 'notes.txt', `${'a'.repeat(32)}.`, `${'a'.repeat(32)}.1x`, `${'a'.repeat(32)}.join-`])(
    'knows no upload named %s',
    (name) => {
      expect(parseUploadName(name)).toBeUndefined()
    },
  )

  test('is the same in docs/storage.md as beside the code', async () => {
    const folder = import.meta.dirname
    const source = await readFile(join(folder, 'layout.ts'), 'utf8')
    const document = await readFile(join(folder, '..', '..', '..', 'docs', 'storage.md'), 'utf8')
    const tree = [...source.matchAll(/^ \* {5}(.*)$/gm)].map(([, line]) => line).join('\n')
    expect(tree).toContain('installation')
    expect(document).toContain(tree)
  })
})

function nameIn(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
