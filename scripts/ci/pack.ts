/**
 * Packs and installs the npm package by the commands of docs/install.md, and serves from it as the unit for systemd on that page does,
 * on the machine's own Node.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { matchesShown, readConsoleBlocks } from '../../test/support/processes/console-blocks.ts'
import { run } from '../run-command.ts'

const root = join(import.meta.dirname, '..', '..')
const startDeadlineMs = 30_000

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
const page = readFileSync(join(root, 'docs/install.md'), 'utf8')
const [, unit = ''] = /```ini\n([\s\S]*?)```/.exec(page) ?? []
const folder = mkdtempSync(join(tmpdir(), 'lading-pack-'))
try {
  const lading = await install()
  await checkVersion(lading)
  checkManPage()
  await checkUnit(lading)
  await checkServe(lading)
  console.log(`lading ${version} packs, installs and serves`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Runs the commands of "As a command" in a copy of the checkout, with a folder of its own as the machine's. */
async function install(): Promise<string> {
  const checkout = join(folder, 'checkout')
  const files = 'git ls-files -z --cached --others --exclude-standard --deduplicate'
  await must(['bash', '-c', `mkdir '${checkout}' && ${files} | tar --null -T - -c | tar -x -C '${checkout}'`])
  // Instead of `npm ci`, which the test of the README runs.
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'))
  const section = page.slice(page.indexOf('## As a command'), page.indexOf('## As a service'))
  for (const { line, output } of readConsoleBlocks(section).filter((command) => command.line !== 'npm ci')) {
    const printed = await must(['bash', '-c', line], checkout)
    assert.ok(matchesShown(output, printed), `$ ${line} shows\n${output}\nand prints\n${printed}`)
  }
  return join(folder, 'prefix', 'bin', 'lading')
}

async function must(command: readonly string[], cwd = root): Promise<string> {
  const { ok, reason, output } = await run(command, { cwd, env: userEnvironment(), capture: true })
  assert(ok, `${command.join(' ')}: ${reason}\n${output}`)
  return output
}

/** Returns the environment without the additions of npm and the checkout: the bin must find its Node itself. */
function userEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|LADING_)/i.test(name))
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((entry) => !entry.includes('node_modules'))
  const prefix = join(folder, 'prefix')
  return {
    ...Object.fromEntries(kept),
    PATH: [join(prefix, 'bin'), ...path].join(delimiter),
    npm_config_prefix: prefix,
    npm_config_audit: 'false',
    npm_config_prefer_offline: 'true',
  }
}

async function checkVersion(lading: string): Promise<void> {
  const printed = JSON.parse(await must([lading, 'version', '--json'])) as { version: string; node: string }
  assert.equal(printed.version, version)
  assert.match(printed.node, /^26\./)
}

/** npm links the man pages of packages that are installed globally. */
function checkManPage(): void {
  const page = join(folder, 'prefix', 'share', 'man', 'man1', 'lading.1')
  assert.match(readFileSync(page, 'utf8'), /^\.TH LADING 1/m)
}

/** Where systemd is installed, it reads the unit too. */
async function checkUnit(lading: string): Promise<void> {
  assert.match(unit, /^KillMode=mixed$/m)
  if (!existsSync('/usr/bin/systemd-analyze')) {
    console.log('systemd-analyze is not installed: the unit is not verified')
    return
  }
  const file = join(folder, 'lading.service')
  const text = unit.replace('/usr/local/bin/lading', lading).replace(/^User=.*$/m, 'User=nobody')
  writeFileSync(file, text)
  await must(['systemd-analyze', 'verify', '--man=no', file])
}

/** Runs `ExecStart` of the unit, and stops it as systemd does. */
async function checkServe(lading: string): Promise<void> {
  const [, program, words = ''] = /^ExecStart=(\S+) (.*)$/m.exec(unit) ?? []
  assert.equal(program, '/usr/local/bin/lading')
  assert.match(unit, /^Environment=LADING_DATA=/m)
  const env = { ...userEnvironment(), LADING_DATA: join(folder, 'data'), LADING_HTTP_PORT: '0' }
  const child = spawn(lading, words.split(' '), { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  try {
    const url = await listeningUrl(child.stdout)
    const reply = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5000) })
    assert.equal(reply.status, 200)
    const closed = await fetch(`${url}/v2/`, { signal: AbortSignal.timeout(5000) })
    assert.equal(closed.status, 401)
    await checkViewer(url)
    child.kill('SIGTERM')
    assert.deepEqual(await exit, [0, null])
  } finally {
    child.kill('SIGKILL')
  }
}

/** The package has the files of the API's reference. */
async function checkViewer(url: string): Promise<void> {
  const page = await (await fetch(`${url}/api/v1/docs`, { signal: AbortSignal.timeout(5000) })).text()
  const files = [...page.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map(([, path]) => path)
  assert.equal(files.length, 2)
  for (const path of files) {
    const reply = await fetch(`${url}/api/v1/${path}`, { signal: AbortSignal.timeout(5000) })
    assert.equal(reply.status, 200)
  }
}

async function listeningUrl(log: NodeJS.ReadableStream): Promise<string> {
  const lines = createInterface({ input: log })
  const signal = AbortSignal.timeout(startDeadlineMs)
  signal.addEventListener('abort', () => lines.close())
  for await (const line of lines) {
    const { msg, url } = JSON.parse(line) as { msg?: string; url?: string }
    if (msg === 'listening' && url !== undefined) return url
  }
  throw new Error(
    signal.aborted ? 'lading serve did not listen in time' : 'lading serve ended before it listened',
  )
}
