/** The database file of a real server is removed, replaced, truncated or overwritten while a client pushes. */
import {
  closeSync,
  copyFileSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { pushBlob } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'
import { startRegistry, type RunningRegistry } from '../support/processes/start-registry.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'

const blobs = '/v2/acme/web/blobs'

/** Pushes small blobs one after the other and records their digests; ends when the registry has stopped. */
async function pushUntilGone({ url }: RunningRegistry, acknowledged: string[]): Promise<void> {
  for (;;) {
    const { digest, bytes } = aRandomBlob(100)
    const target = `${url}${blobs}/uploads/?digest=${digest}`
    const answer = await fetch(target, { method: 'POST', body: bytes }).catch(() => undefined)
    if (answer === undefined) return
    await answer.bytes().catch(() => undefined)
    if (answer.status === 201) acknowledged.push(digest)
  }
}

/** Starts a registry, damages the database while a client pushes, and waits for the end. */
async function damage(dataDir: string, harm: (file: string) => void) {
  await using registry = await startRegistry({ dataDir })
  const acknowledged: string[] = []
  const pushing = pushUntilGone(registry, acknowledged)
  await eventually(
    () => acknowledged.length,
    (count) => count >= 20,
  )
  harm(join(dataDir, 'lading.db'))
  await pushing
  const { code } = await registry.exit
  const lines = registry.stdout.trimEnd().split('\n')
  const last = JSON.parse(lines.at(-1) ?? '') as { level: string; err: { message: string } }
  const { level, err } = last
  return { code, acknowledged, level, message: err.message, stderr: registry.stderr }
}

/** Makes a database; a stop moves everything from the log into the database file. */
async function makeDatabase(dataDir: string): Promise<void> {
  await using registry = await startRegistry({ dataDir })
  await pushBlob(`${registry.url}/v2/acme/web`, aRandomBlob(100))
  await registry.stop()
}

describe('a server whose database file', () => {
  test('is removed stops and reports it; with the file restored everything acknowledged is there', async () => {
    await using folder = await tempFolder('lading-lost')
    const aside = join(folder.path, 'aside.db')
    const harm = (file: string): void => renameSync(file, aside)
    const { code, level, message, acknowledged, stderr } = await damage(folder.path, harm)
    expect({ code, level }).toEqual({ code: 1, level: 'fatal' })
    // The message is for a person: a stack trace would look like a bug of the program.
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(`lading: ${message}`)
    expect(stderr).not.toMatch(/^ +at /m)
    expect(message).toMatch(/lading\.db was removed while the registry used it; .*lading restore/)
    renameSync(aside, join(folder.path, 'lading.db'))
    await using again = await startRegistry({ dataDir: folder.path })
    for (const digest of acknowledged) {
      const answer = await fetch(`${again.url}${blobs}/${digest}`, { method: 'HEAD' })
      expect([digest, answer.status]).toEqual([digest, 200])
    }
  })

  test('is removed does not start again with an empty file beside the log', async () => {
    await using folder = await tempFolder('lading-lost')
    await damage(folder.path, (file) => rmSync(file))
    const log = join(folder.path, 'lading.db-wal')
    const { size } = statSync(log)
    await expect(startRegistry({ dataDir: folder.path })).rejects.toThrow(
      /lading\.db is missing or empty, but the blob store .* belongs to installation/,
    )
    expect(statSync(log).size).toBe(size)
  })

  test('is replaced by a copy stops and reports it', async () => {
    await using folder = await tempFolder('lading-lost')
    const copy = join(folder.path, 'copy.db')
    const harm = (file: string): void => {
      copyFileSync(file, copy)
      renameSync(copy, file)
    }
    const { code, message } = await damage(folder.path, harm)
    expect(code).toBe(1)
    expect(message).toMatch(/lading\.db was replaced by another file/)
  })

  test('loses its log stops and reports it', async () => {
    await using folder = await tempFolder('lading-lost')
    const { code, message } = await damage(folder.path, (file) => rmSync(`${file}-wal`))
    expect(code).toBe(1)
    expect(message).toMatch(/lading\.db-wal was removed/)
  })

  test('is truncated stops and says what to do', async () => {
    await using folder = await tempFolder('lading-lost')
    await makeDatabase(folder.path)
    const { code, message } = await damage(folder.path, (file) => truncateSync(file, 8192))
    expect(code).toBe(1)
    expect(message).toMatch(/(was cut from \d+ to 8192 bytes|is damaged or cannot be read).*lading restore/)
  })

  test('is overwritten in the middle by another program stops and says what to do', async () => {
    await using folder = await tempFolder('lading-lost')
    await makeDatabase(folder.path)
    const harm = (file: string): void => {
      const fd = openSync(file, 'r+')
      const pageBytes = 4096
      const garbage = Buffer.alloc(statSync(file).size - pageBytes, 0xa5)
      writeSync(fd, garbage, 0, garbage.length, pageBytes)
      closeSync(fd)
    }
    const { code, message } = await damage(folder.path, harm)
    expect(code).toBe(1)
    expect(message).toMatch(/is damaged or cannot be read \(.+\);.*lading restore/)
    await expect(startRegistry({ dataDir: folder.path })).rejects.toThrow(/damaged.*lading restore/s)
  })
})
