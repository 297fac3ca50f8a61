/** Packs the npm package, installs it elsewhere as a user would, and serves from it with the machine's own Node. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { run } from '../run-command.ts'

const root = join(import.meta.dirname, '..', '..')
const startDeadlineMs = 30_000

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
const folder = mkdtempSync(join(tmpdir(), 'lading-pack-'))
try {
  const lading = await install()
  await checkVersion(lading)
  await checkServe(lading)
  console.log(`lading ${version} packs, installs and serves`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function install(): Promise<string> {
  await must(['npm', 'pack', '--pack-destination', folder])
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? ''
  const prefix = join(folder, 'prefix')
  const flags = ['--no-audit', '--no-fund', '--prefer-offline']
  await must(['npm', 'install', '--global', '--prefix', prefix, ...flags, join(folder, tarball)])
  return join(prefix, 'bin', 'lading')
}

async function must(command: readonly string[]): Promise<string> {
  const { ok, reason, output } = await run(command, { cwd: root, env: userEnvironment(), capture: true })
  assert(ok, `${command.join(' ')}: ${reason}\n${output}`)
  return output
}

/** Returns the environment without the additions of npm and the checkout: the bin must find its Node itself. */
function userEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|LADING_)/i.test(name))
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((entry) => !entry.includes('node_modules'))
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter) }
}

async function checkVersion(lading: string): Promise<void> {
  const printed = JSON.parse(await must([lading, 'version', '--json'])) as { version: string; node: string }
  assert.equal(printed.version, version)
  assert.match(printed.node, /^26\./)
}

async function checkServe(lading: string): Promise<void> {
  const args = ['serve', '--port', '0', '--data', join(folder, 'data')]
  const child = spawn(lading, args, { env: userEnvironment(), stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  try {
    const url = await listeningUrl(child.stdout)
    const reply = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5000) })
    assert.equal(reply.status, 200)
    const closed = await fetch(`${url}/v2/`, { signal: AbortSignal.timeout(5000) })
    assert.equal(closed.status, 401)
    child.kill('SIGTERM')
    assert.deepEqual(await exit, [0, null])
  } finally {
    child.kill('SIGKILL')
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
