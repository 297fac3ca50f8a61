/** The `lading` commands of the README do what it shows, in its order, after the push that it shows. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runLading } from './support/run-lading.ts'
import { startInProcess } from './support/in-process.ts'
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
  // Stands for `docker push`: the administrator's first push makes the organization.
  const password = 'a-password-of-this-test'
  await runLading('user password admin --password-stdin', { env, stdin: `${password}\n` })
  const login = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`
  const pushed = await fetch(`${registry.url}/v2/acme/web/blobs/uploads/`, {
    method: 'POST',
    headers: { authorization: login },
  })
  expect(pushed.status).toBe(202)
  const upload = new URL(pushed.headers.get('location') ?? '', registry.url)
  upload.searchParams.set('digest', 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect((await fetch(upload, { method: 'PUT', headers: { authorization: login } })).status).toBe(201)

  const commands = readCommands()
  expect(commands.length).toBe(6)
  for (const { line, output } of commands) {
    const result = await runLading(line, { env })
    expect({ line, ...result }).toMatchObject({ line, code: 0 })
    expect(output === '…' ? output : result.out.trimEnd()).toBe(output)
  }
})
