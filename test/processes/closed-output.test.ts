/** A command whose standard output is closed early, as by `| head`, or cannot be written, ends without a stack trace. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { shareRegistry } from '../support/parts/in-process.ts'
import { tester } from '../support/parts/tester.ts'

const entry = join(import.meta.dirname, '../../src/main.ts')

async function end(child: ReturnType<typeof spawn>) {
  let err = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, err }
}

describe('a command', () => {
  test('ends quietly when the reader of its output has ended', async () => {
    const child = spawn(process.execPath, [entry, 'help'], { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    expect(await end(child)).toEqual({ code: 0, err: '' })
  })

  test.skipIf(!existsSync('/dev/full'))(
    'reports that its output could not be written, and fails',
    async () => {
      const full = openSync('/dev/full', 'w')
      const child = spawn(process.execPath, [entry, 'help'], { stdio: ['ignore', full, 'pipe'] })
      closeSync(full)
      expect(await end(child)).toEqual({
        code: 1,
        err: 'lading: cannot write to standard output (ENOSPC); the output is incomplete\n',
      })
    },
  )
})

describe('a command with a reader that ends first', () => {
  const registry = shareRegistry()

  test.each([
    'user list',
    'repository list --json',
    'audit search',
    'audit export',
    'doctor',
    'config print',
    'help serve',
    'completion zsh',
  ])('%s ends quietly', async (line) => {
    const args = [
      entry,
      ...line.split(' '),
      ...(/^(help|completion)/.test(line) ? [] : ['--data', registry.dataDir]),
    ]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    expect(await end(child)).toEqual({ code: 0, err: '' })
  })

  test('audit export | head -1 ends quietly when more is to come than a pipe holds', async () => {
    const { roles } = registry.app.auth
    for (let count = 0; count < 600; count++) {
      await roles.add({ name: `${'role-'.repeat(10)}${count}`, actions: ['pull'] }, tester)
    }
    const exported = `"${process.execPath}" "${entry}" audit export --data "${registry.dataDir}"`
    const run = (command: string) =>
      spawnSync('bash', ['-o', 'pipefail', '-c', command], { encoding: 'utf8' })
    expect(Number(run(`${exported} | wc -c`).stdout)).toBeGreaterThan(65_536)
    const first = run(`${exported} | head -n 1`)
    expect(first).toMatchObject({ status: 0, stderr: '' })
    expect(JSON.parse(first.stdout)).toMatchObject({ id: 1 })
  })
})
