import { spawn, type StdioPipe } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const entry = join(import.meta.dirname, '../main.ts')

/** Runs `lading help`; `isRead`: whether anybody reads the pipe that it writes to. */
async function runHelp({ stdout, isRead = true }: { stdout: StdioPipe | number; isRead?: boolean }) {
  const child = spawn(process.execPath, [entry, 'help'], { stdio: ['ignore', stdout, 'pipe'] })
  if (!isRead) child.stdout?.destroy()
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const [code] = await once(child, 'close')
  return { code: code as number | null, errors }
}

test('a command whose result nobody reads ends as other programs in a pipe do, and says nothing', async () => {
  expect(await runHelp({ stdout: 'pipe', isRead: false })).toEqual({ code: 141, errors: '' })
})

test.skipIf(!existsSync('/dev/full'))('a command whose result has no room says so in one line', async () => {
  await using full = await open('/dev/full', 'w')
  const { code, errors } = await runHelp({ stdout: full.fd })
  expect(code).toBe(1)
  expect(errors).toMatch(/^lading: the result cannot be written to standard output: ENOSPC.*\n$/)
})
