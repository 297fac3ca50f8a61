/** Referrers whose descriptors carry large annotations: a page of them fits into a small heap. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createRepository, pushManifest } from '../../src/metadata/contract/builders.ts'
import { openSqliteMetadata } from '../../src/metadata/dialects/sqlite/sqlite.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { digestBytes } from '../../src/oci/digest.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'

const run = promisify(execFile)
const count = 20
const descriptorBytes = 8_000_000
/** All descriptors together have 160 MB; a page has one of them. */
const heapMebibytes = 96

test('a page of referrers with large annotations does not end the process', async () => {
  await using folder = await tempFolder()
  const file = join(folder.path, 'lading.db')
  const subject = digestBytes(Buffer.from('subject'))
  const name = await fill(file, subject)
  const program = join(import.meta.dirname, '../support/uploads/list-referrers.ts')
  const { stdout } = await run(process.execPath, [
    `--max-old-space-size=${heapMebibytes}`,
    program,
    file,
    name,
    subject,
  ])
  expect(stdout).toBe(`${count}\n`)
}, 60_000)

async function fill(file: string, subject: ReturnType<typeof digestBytes>): Promise<string> {
  await using metadata = await openSqliteMetadata({
    file,
    clock: systemClock,
    onFatal: (error) => {
      throw error
    },
  })
  const repository = await createRepository(metadata)
  const descriptor = JSON.stringify({ annotations: { text: 'x'.repeat(descriptorBytes) } })
  for (let index = 0; index < count; index++) {
    await pushManifest(metadata, repository, { subject, descriptor })
  }
  return repository.name
}
