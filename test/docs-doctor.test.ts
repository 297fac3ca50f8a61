/** The sample of `lading doctor` in operations.md is what it prints for a registry after its first start. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { matchesShown, readConsoleBlocks } from './support/processes/console-blocks.ts'
import { startInProcess } from './support/parts/in-process.ts'
import { runLading } from './support/processes/run-lading.ts'
import { tempFolder } from './support/processes/temp-folder.ts'

test('is what it prints', async () => {
  await using folder = await tempFolder('lading-docs-doctor')
  const dataDir = join(folder.path, 'data')
  await using registry = await startInProcess({ dataDir, auth: { anonymous: 'pull' } })
  const { port } = new URL(registry.url)
  const { code, out } = await runLading('doctor', { env: { LADING_DATA: dataDir, LADING_HTTP_PORT: port } })
  expect(code).toBe(0)
  const printed = out
    .replaceAll(dataDir, './data')
    .replaceAll('./data/admin-password', 'data/admin-password')
    .replaceAll(`:${port}`, ':5000')

  const page = readFileSync(join(import.meta.dirname, '../docs/operations.md'), 'utf8')
  const { output: shown = '' } = readConsoleBlocks(page).find(({ line }) => line === 'lading doctor') ?? {}
  expect(matchesShown(shown, printed) ? shown : printed).toBe(shown)
})
