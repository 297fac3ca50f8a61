/** What a person sees who starts the real program at a terminal, which `script` provides. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { findFreePort } from '../support/processes/free-port.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'

const entry = join(import.meta.dirname, '../../src/main.ts')

/** Starts the program, sends one refused request, stops it, and returns what the terminal showed. */
async function showRun(
  environment: Record<string, string> = {},
): Promise<{ shown: string; password: string }> {
  await using folder = await tempFolder('lading-terminal')
  const port = await findFreePort()
  const command = `exec '${process.execPath}' '${entry}' serve --port ${port}`
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    cwd: folder.path,
    env: { PATH: process.env['PATH'], SHELL: '/bin/sh', ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => (shown += part))
  await eventually(() => shown.includes('serves http'), Boolean, 30_000)
  const authorization = `Basic ${Buffer.from('eve:hunter2').toString('base64')}`
  await fetch(`http://127.0.0.1:${port}/v2/`, { headers: { authorization } })
  await eventually(() => shown.includes('request refused'), Boolean, 30_000)
  const password = readFileSync(join(folder.path, 'data/admin-password'), 'utf8').trim()
  // The terminal turns this into INT.
  child.stdin.write('\u0003')
  expect(await ended).toEqual([0, null])
  // The terminal echoes the key, also in front of a line of the log.
  return { shown: shown.replaceAll('\r', '').replaceAll('^C', ''), password }
}

test('is short lines, with the generated password once and no JSON', async () => {
  const { shown, password } = await showRun()
  const lines = shown.split('\n').filter((line) => line !== '')
  expect(lines).toEqual([
    expect.stringMatching(/^lading \S+ serves http:\/\/127\.0\.0\.1:\d+ \(data in \.\/data\)$/),
    `created administrator admin with the password ${password}`,
    expect.stringMatching(/^saved in data\/admin-password until you change it/),
    expect.stringMatching(
      /^\d\d:\d\d:\d\d info {2}request refused method=GET path=\/v2\/ status=401 .*reason="incorrect name or password/,
    ),
    expect.stringMatching(/info {2}draining signal=SIGINT/),
    expect.stringMatching(/info {2}stopped$/),
  ])
  expect(shown).not.toContain('hunter2')
})

test('is JSON where log.format says so', async () => {
  const { shown } = await showRun({ LADING_LOG_FORMAT: 'json' })
  expect(shown).toContain('"msg":"listening"')
  expect(shown).toContain('"msg":"request refused"')
})
