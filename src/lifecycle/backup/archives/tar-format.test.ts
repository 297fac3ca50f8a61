import { execFileSync } from 'node:child_process'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tempFolder } from '../../../../test/support/processes/temp-folder.ts'
import { formatTarHeader, paddingOf, readTar, tarEnd, type TarEntry } from './tar-format.ts'

const gibibyte = 1024 ** 3

async function readAll(path: string): Promise<TarEntry[]> {
  await using handle = await open(path, 'r')
  const entries: TarEntry[] = []
  for await (const entry of readTar(handle, path)) entries.push(entry)
  return entries
}

function archiveOf(names: readonly string[]): Buffer {
  const parts = names.flatMap((name) => {
    const bytes = Buffer.from(name)
    const header = formatTarHeader({ name, size: bytes.length, modifiedAt: 1_700_000_000_000 })
    return [header, bytes, Buffer.alloc(paddingOf(bytes.length))]
  })
  return Buffer.concat([...parts, tarEnd])
}

const names = ['short', 'n'.repeat(100), `blobs/sha512/aa/${'a'.repeat(128)}`, `${'ö/'.repeat(70)}end`]

test('round trip of short and long names', async () => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'a.tar')
  const archive = archiveOf(names)
  await writeFile(path, archive)
  const entries = await readAll(path)
  expect(entries.map(({ name }) => name)).toEqual(names)
  for (const { name, start, size } of entries) {
    expect(archive.toString('utf8', start, start + size)).toBe(name)
  }
})

test("the system's tar reads our archives, and its archives are read", async () => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'a.tar')
  await writeFile(path, archiveOf(names))
  const list = execFileSync('tar', ['-tf', path, '--quoting-style=literal'], { encoding: 'utf8' })
  expect(list.trim().split('\n')).toEqual(names)
  await writeFile(join(folder.path, 'file'), 'content')
  const other = join(folder.path, 'b.tar')
  execFileSync('tar', ['--format=pax', '-C', folder.path, '-cf', other, 'file'])
  expect(await readAll(other)).toMatchObject([{ name: 'file', size: 7 }])
})

test('a file beyond 8 GiB has its size in an extended header', async () => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'a.tar')
  const size = 9 * gibibyte + 1
  {
    await using handle = await open(path, 'w')
    const header = formatTarHeader({ name: 'large', size, modifiedAt: 0 })
    await handle.write(header)
    // A hole in the file: it uses no disk space.
    await handle.write(tarEnd, 0, tarEnd.byteLength, header.byteLength + size + paddingOf(size))
  }
  expect(await readAll(path)).toMatchObject([{ name: 'large', size }])
  expect(execFileSync('tar', ['-tvf', path], { encoding: 'utf8' })).toContain(` ${size} `)
})

test('a damaged header and a cut archive are refused', async () => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'a.tar')
  const archive = archiveOf(names)
  for (const size of [10, 511, 600, archive.length - 1024]) {
    await writeFile(path, archive.subarray(0, size))
    await expect(readAll(path)).rejects.toThrow('ends too early')
  }
  archive[5] = (archive[5] ?? 0) ^ 1
  await writeFile(path, archive)
  await expect(readAll(path)).rejects.toThrow('a header is not a tar header')
})

test.each(['-1024', '-1', '1e400', 'x', '0.5'])('refuses a file whose size is %s', async (size) => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'a.tar')
  const record = ` size=${size}\n`
  // The length of the record is below 98 and includes its own two digits.
  const body = Buffer.from(`${record.length + 2}${record}`)
  const extended = formatTarHeader({ name: 'pax', size: body.length, modifiedAt: 0 })
  setType(extended, 'x')
  const parts = [extended, body, Buffer.alloc(paddingOf(body.length))]
  await writeFile(path, Buffer.concat([...parts, archiveOf(['short'])]))
  await expect(readAll(path)).rejects.toThrow('a size is not valid in tar')
})

function setType(header: Buffer, type: string): void {
  const checksum = Number.parseInt(header.toString('latin1', 148, 154), 8)
  const changed = checksum - (header[156] ?? 0) + type.charCodeAt(0)
  header.write(changed.toString(8).padStart(6, '0'), 148)
  header.write(type, 156)
}
