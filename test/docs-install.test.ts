/** The backup before an upgrade and the way back, as docs/install.md shows them, keep what was pushed before. */
import { readFileSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ask } from './support/http/client.ts'
import { matchesShown, readConsoleBlocks } from './support/processes/console-blocks.ts'
import { startInProcess } from './support/parts/in-process.ts'
import { anImageManifest, pushImage } from './support/content/manifests.ts'
import { runLading } from './support/processes/run-lading.ts'
import { tempFolder } from './support/processes/temp-folder.ts'

test('an upgrade can be undone', async () => {
  await using folder = await tempFolder('lading-docs-install')
  const dataDir = join(folder.path, 'data')
  {
    await using registry = await startInProcess({ dataDir })
    await pushImage(`${registry.url}/v2/acme/web`, anImageManifest(), { reference: 'v1' })
  }
  const page = readFileSync(join(import.meta.dirname, '../docs/install.md'), 'utf8')
  // The blocks are in numbered lists.
  const section = page.slice(page.indexOf('## Upgrade'), page.indexOf('## Remove')).replaceAll(/^ {3}/gm, '')
  const commands = readConsoleBlocks(section)
  expect(commands.map(({ line }) => line.split(' ', 2).join(' '))).toEqual([
    'lading backup',
    'lading backup',
    'mv data',
    'lading restore',
  ])
  for (const { line, output } of commands) {
    if (line.startsWith('mv ')) {
      const [, from = '', to = ''] = line.split(' ')
      await rename(join(folder.path, from), join(folder.path, to))
      continue
    }
    const words = line.replace('lading ', '').replace('/backups', join(folder.path, 'backups'))
    const result = await runLading(words, { env: { LADING_DATA: dataDir } })
    expect({ line, ...result }).toMatchObject({ line, code: 0 })
    const printed = result.out.replaceAll(dataDir, './data').replaceAll(folder.path, '')
    expect(matchesShown(output, printed) ? output : printed).toBe(output)
  }
  await using restored = await startInProcess({ dataDir })
  expect((await ask(`${restored.url}/v2/acme/web/manifests/v1`)).status).toBe(200)
})
