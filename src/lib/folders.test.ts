import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../test/support/processes/temp-folder.ts'
import { checkFolder, findMissingFolders, FolderError, makeFolder, removeEmptyFolders } from './folders.ts'

describe('making a folder', () => {
  test('makes missing parents, and accepts an existing folder', async () => {
    await using temp = await tempFolder()
    const path = join(temp.path, 'a', 'b', 'c')
    await Promise.all([makeFolder(path, 0o700), makeFolder(path, 0o700)])
    await makeFolder(path, 0o700)
    expect(statSync(path).mode & 0o777).toBe(0o700)
  })

  test.skipIf(!existsSync('/proc/self')).each(['/proc/x', '/proc/x/y/z'])(
    'fails with an error that names the path, in %s',
    async (path) => {
      const attempt = makeFolder(path, 0o700)
      await expect(attempt).rejects.toThrow(FolderError)
      await expect(attempt).rejects.toMatchObject({ path: '/proc/x', code: 'ENOENT' })
      await expect(attempt).rejects.toThrow('cannot use the folder /proc/x: it cannot be made in /proc')
    },
  )

  test('refuses a file in its place, or above it', async () => {
    await using temp = await tempFolder()
    writeFileSync(join(temp.path, 'file'), '')
    await expect(makeFolder(join(temp.path, 'file'), 0o700)).rejects.toThrow('it is not a folder')
    await expect(makeFolder(join(temp.path, 'file', 'below'), 0o700)).rejects.toMatchObject({
      code: 'ENOTDIR',
    })
  })
})

describe('checking a folder', () => {
  test('changes nothing', async () => {
    await using temp = await tempFolder()
    const path = join(temp.path, 'a', 'b')
    await checkFolder(path)
    await checkFolder(temp.path)
    expect(await findMissingFolders(path)).toEqual([join(temp.path, 'a'), path])
    expect(readdirSync(temp.path)).toEqual([])
  })

  test('refuses a file in its place, or above it', async () => {
    await using temp = await tempFolder()
    writeFileSync(join(temp.path, 'file'), '')
    await expect(checkFolder(join(temp.path, 'file'))).rejects.toThrow('it is not a folder')
    await expect(checkFolder(join(temp.path, 'file', 'below'))).rejects.toThrow(FolderError)
  })
})

test('folders with files stay, with the files', async () => {
  await using temp = await tempFolder()
  const root = join(temp.path, 'root')
  for (const name of ['a/b', 'c/d']) mkdirSync(join(root, name), { recursive: true })
  writeFileSync(join(root, 'c', 'kept'), '')
  await removeEmptyFolders(root)
  expect(readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()).toEqual(['c', 'c/kept'])
  await removeEmptyFolders(join(root, 'gone'))
})
