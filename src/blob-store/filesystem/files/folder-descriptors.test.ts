import { mkdir, readdir, readlink, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../../../test/support/processes/temp-folder.ts'
import { FolderDescriptors } from './folder-descriptors.ts'

/** Returns how many descriptors this process has open on `path`. */
async function openOn(path: string): Promise<number> {
  const names = await readdir('/proc/self/fd')
  const targets = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')))
  return targets.filter((target) => target === path).length
}

describe('FolderDescriptors', () => {
  test('opens a folder once for any number of syncs, and closes it at the end', async () => {
    await using folder = await tempFolder()
    const folders = new FolderDescriptors()
    for (let count = 0; count < 3; count++) await folders.sync(folder.path)
    expect(await openOn(folder.path)).toBe(1)
    await folders[Symbol.asyncDispose]()
    expect(await openOn(folder.path)).toBe(0)
  })

  test('tries a folder again that could not be opened', async () => {
    await using folder = await tempFolder()
    await using folders = new FolderDescriptors()
    const path = join(folder.path, 'later')
    await expect(folders.sync(path)).rejects.toMatchObject({ code: 'ENOENT' })
    await mkdir(path)
    await folders.sync(path)
    await rm(path, { recursive: true })
  })
})
