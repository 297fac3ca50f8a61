/** The npm bin under an older Node, in a package laid out as npm installs it. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  accessSync,
  constants,
  copyFileSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../support/processes/temp-folder.ts'

const checkout = join(import.meta.dirname, '../..')
const olderNode = findOlderNode()

/** Returns the machine's own Node, which `npm ci` hides behind the bundled one. */
function findOlderNode(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .map((folder) => join(folder, 'node'))
    .find((path) => isExecutable(path) && majorOf(path) < 26)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function majorOf(node: string): number {
  return Number(spawnSync(node, ['-p', 'parseInt(process.versions.node, 10)'], { encoding: 'utf8' }).stdout)
}

interface Layout {
  /** The content of `dist/main.js`. */
  readonly main: string
  readonly bundled?: boolean
}

async function layOut({ main, bundled = true }: Layout) {
  const folder = await tempFolder('lading-launcher')
  const root = join(folder.path, 'node_modules', 'lading')
  mkdirSync(join(root, 'bin'), { recursive: true })
  mkdirSync(join(root, 'dist'))
  for (const name of ['lading.js', 'package.json'])
    copyFileSync(join(checkout, 'bin', name), join(root, 'bin', name))
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  writeFileSync(join(root, 'dist', 'main.js'), main)
  if (bundled) symlinkSync(join(checkout, 'node_modules'), join(root, 'node_modules'))
  return { bin: join(root, 'bin', 'lading.js'), [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

const report = `console.log(JSON.stringify({ major: parseInt(process.versions.node), argv: process.argv.slice(2) }))
process.exitCode = 7`

describe('the launcher', () => {
  test.skipIf(olderNode === undefined)(
    'hands over to the bundled Node with arguments and exit code',
    async () => {
      await using layout = await layOut({ main: report })
      const { stdout, status } = spawnSync(olderNode ?? '', [layout.bin, 'a b', '--c'], { encoding: 'utf8' })
      expect(JSON.parse(stdout)).toEqual({ major: 26, argv: ['a b', '--c'] })
      expect(status).toBe(7)
    },
  )

  test('starts no second process on Node 26', async () => {
    await using layout = await layOut({ main: 'console.log(process.pid)' })
    const { stdout, pid } = spawnSync(process.execPath, [layout.bin], { encoding: 'utf8' })
    expect(Number(stdout)).toBe(pid)
  })

  test.skipIf(olderNode === undefined).each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const)(
    'passes %s on and waits for the end',
    async (signal) => {
      const main = `process.on('${signal}', () => setTimeout(() => process.exit(9), 20)); setInterval(() => {}, 1000); console.log('ready')`
      await using layout = await layOut({ main })
      const child = spawn(olderNode ?? '', [layout.bin], { stdio: ['ignore', 'pipe', 'inherit'] })
      const exit = once(child, 'exit')
      await once(child.stdout, 'data')
      child.kill(signal)
      expect(await exit).toEqual([9, null])
    },
  )

  test.skipIf(olderNode === undefined)('ends by the signal that ended the program', async () => {
    await using layout = await layOut({ main: `process.kill(process.pid, 'SIGKILL')` })
    expect(spawnSync(olderNode ?? '', [layout.bin]).signal).toBe('SIGKILL')
  })

  test.skipIf(olderNode === undefined)('says what to do when there is no newer Node', async () => {
    await using layout = await layOut({ main: report, bundled: false })
    const { stderr, status } = spawnSync(olderNode ?? '', [layout.bin], { encoding: 'utf8' })
    expect(stderr).toMatch(/^lading: needs Node 26, this is v\d+/)
    expect(status).toBe(1)
  })

  test('uses only syntax that Node 12 understands', () => {
    const text = readFileSync(join(checkout, 'bin', 'lading.js'), 'utf8')
    expect(text).not.toMatch(/\?\.|\?\?|\bawait\b|require\('node:/)
  })
})

describe('npm start', () => {
  test('ends the registry when npm is ended', async () => {
    await using data = await tempFolder('lading-npm-start')
    const npm = spawn('npm', ['start', '--silent'], {
      cwd: checkout,
      env: { ...process.env, LADING_DATA: data.path, LADING_HTTP_PORT: '0' },
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    })
    try {
      const npmExit = once(npm, 'exit')
      const [line] = (await once(createInterface(npm.stdout), 'line')) as [string]
      const { url } = JSON.parse(line) as { url: string }
      expect((await fetch(`${url}/healthz`)).status).toBe(200)
      npm.kill('SIGTERM')
      await npmExit
      await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed')
    } finally {
      endGroup(npm.pid)
    }
  })
})

/** Kills the processes that npm left behind. */
function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // No process is left, as the test expects.
  }
}
