/** Registries the bench starts by itself: Lading, and Distribution built by `scripts/tools/go-tools.sh --peer`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { run } from '../scripts/run-command.ts'
import { ask } from '../test/support/client.ts'
import { findFreePort } from '../test/support/free-port.ts'
import { startRegistry } from '../test/support/start-registry.ts'
import { tempFolder } from '../test/support/temp-folder.ts'
import type { NamedUrl } from './options.ts'
import { findListener } from './process-stats.ts'
import type { Target } from './target.ts'

const checkout = join(import.meta.dirname, '..')
const distributionProgram = join(checkout, '.tools/bin/registry')

export interface OwnTarget extends Target, AsyncDisposable {}

/** Lading on an own data folder. `dist` is built first, so that it is what the sources say. */
export async function startLading(options: {
  readonly from: 'source' | 'dist'
  readonly env: Readonly<Record<string, string>>
  /** Kept, when given. */
  readonly dataDir?: string
}): Promise<OwnTarget> {
  if (options.from === 'dist') await buildOnce()
  const registry = await startRegistry(options)
  return {
    name: 'lading',
    url: registry.url,
    pid: registry.pid,
    async [Symbol.asyncDispose]() {
      await using _killed = registry
      // Asked to end, it writes what `--env NODE_OPTIONS=--cpu-prof` collects.
      await registry.kill('SIGTERM')
    },
  }
}

let built: Promise<void> | undefined

/** Once in a run: every start of it measures the same build. */
export function buildOnce(): Promise<void> {
  built ??= build()
  return built
}

async function build(): Promise<void> {
  const { ok, reason, output } = await run(['npm', 'run', '--silent', 'build'], {
    capture: true,
    cwd: checkout,
  })
  if (!ok) throw new Error(`npm run build: ${reason}\n${output}`)
}

/** Distribution as its users run it: files on disk, deletes on, no access log, no authentication. */
export async function startDistribution(): Promise<OwnTarget> {
  if (!existsSync(distributionProgram)) {
    throw new Error('there is no .tools/bin/registry: run scripts/tools/go-tools.sh --peer first')
  }
  await using cleanup = new AsyncDisposableStack()
  const folder = cleanup.use(await tempFolder('distribution'))
  const port = await findFreePort()
  const config = join(folder.path, 'config.yml')
  await writeFile(config, distributionConfig(join(folder.path, 'data'), port))
  const child = spawn(distributionProgram, ['serve', config], {
    cwd: folder.path,
    stdio: 'ignore',
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  })
  cleanup.defer(async () => {
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'close')
  })
  const url = `http://127.0.0.1:${port}`
  await untilAnswering(url)
  const kept = cleanup.move()
  return { name: 'distribution', url, pid: child.pid, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** A registry somebody else runs; its process is looked up by its port. */
export function runningTarget({ name, url }: NamedUrl): Target {
  const port = new URL(url).port || '80'
  return { name, url, pid: findListener(Number(port)) }
}

function distributionConfig(dataDir: string, port: number): string {
  return `version: 0.1
log:
  level: error
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: ${dataDir}
  delete:
    enabled: true
http:
  addr: 127.0.0.1:${port}
  relativeurls: true
`
}

async function untilAnswering(url: string): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    const answer = await ask(`${url}/v2/`).catch(() => undefined)
    if (answer !== undefined) return
    await delay(10)
  }
  throw new Error(`${url} did not answer within 10 s`)
}
