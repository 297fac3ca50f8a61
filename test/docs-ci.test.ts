/** The `lading` commands of docs/ci.md do what it shows, in its order, after a first push to `acme`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { matchesShown, readConsoleBlocks } from './support/processes/console-blocks.ts'
import { basic } from './support/parts/identity-server.ts'
import { startInProcess } from './support/parts/in-process.ts'
import { pushBlob } from './support/content/manifests.ts'
import { aRandomBlob } from './support/content/random.ts'
import { runLading } from './support/processes/run-lading.ts'
import { tempFolder } from './support/processes/temp-folder.ts'

test('shows what happens', async () => {
  await using folder = await tempFolder('lading-docs-ci')
  const dataDir = join(folder.path, 'data')
  await using registry = await startInProcess({ dataDir, auth: { anonymous: 'pull' } })
  const env = { LADING_DATA: dataDir }
  // The administrator's first push makes the organization.
  const password = 'a-password-of-this-test'
  await runLading('user password admin --password-stdin', { env, stdin: `${password}\n` })
  const headers = { authorization: basic('admin', password) }
  await pushBlob(`${registry.url}/v2/acme/web`, aRandomBlob(), { headers })

  const commands = readConsoleBlocks(readFileSync(join(import.meta.dirname, '../docs/ci.md'), 'utf8'))
  expect(commands.length).toBe(6)
  for (const { line, output } of commands) {
    const result = await runLading(line.replace(/^lading /, '').replaceAll("'", ''), { env })
    expect({ line, ...result }).toMatchObject({ line, code: output.startsWith('denied') ? 1 : 0 })
    expect(matchesShown(output, result.out) ? output : result.out).toBe(output)
  }
})
