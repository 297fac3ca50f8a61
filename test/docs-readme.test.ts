/** The `lading` commands of the README, run in order after its push, print the output that it shows. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { basic } from './support/identity-server.ts'
import { startInProcess } from './support/in-process.ts'
import { pushBlob } from './support/manifests.ts'
import { aRandomBlob } from './support/random.ts'
import { runLading } from './support/run-lading.ts'
import { tempFolder } from './support/temp-folder.ts'

interface ShownCommand {
  readonly line: string
  readonly output: string
}

function readCommands(): readonly ShownCommand[] {
  const page = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
  return [...page.matchAll(/```console\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .filter((text) => text.startsWith('npx lading '))
      .map((text) => {
        const [line = '', ...output] = text.trimEnd().split('\n')
        return { line: line.replace('npx lading ', '').replaceAll("'", ''), output: output.join('\n') }
      }),
  )
}

test('shows what happens', async () => {
  await using folder = await tempFolder('lading-readme')
  const dataDir = join(folder.path, 'data')
  await using registry = await startInProcess({ dataDir, auth: { anonymous: 'pull' } })
  const env = { LADING_DATA: dataDir }
  // In place of `docker push`: the administrator's first push creates the organization.
  const password = 'a-password-of-this-test'
  await runLading('user password admin --password-stdin', { env, stdin: `${password}\n` })
  const headers = { authorization: basic('admin', password) }
  await pushBlob(`${registry.url}/v2/acme/web`, aRandomBlob(), { headers })

  const commands = readCommands()
  expect(commands.length).toBe(6)
  for (const { line, output } of commands) {
    const result = await runLading(line, { env })
    expect({ line, ...result }).toMatchObject({ line, code: 0 })
    expect(output === '…' ? output : result.out.trimEnd()).toBe(output)
  }
})
