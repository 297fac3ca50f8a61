/** Registries that the bench starts itself: Lading, and Distribution built by `scripts/tools/go-tools.sh --peer`. */
import { join } from 'node:path'

import { run } from '../scripts/run-command.ts'
import { startDistribution as startDistributionOnFiles } from '../test/support/processes/distribution.ts'
import { startRegistry } from '../test/support/processes/start-registry.ts'
import type { NamedUrl } from './options.ts'
import { findListener } from './process-stats.ts'
import type { Target } from './target.ts'

const checkout = join(import.meta.dirname, '..')

export interface OwnTarget extends Target, AsyncDisposable {}

/** Starts Lading on its own data folder. `dist` is built first, so that it matches the sources. */
export async function startLading(options: {
  readonly from: 'source' | 'dist'
  readonly env: Readonly<Record<string, string>>
  /** A data folder, which is kept. */
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
      // TERM, so that it writes the profile of `--env NODE_OPTIONS=--cpu-prof`.
      await registry.kill('SIGTERM')
    },
  }
}

let built: Promise<void> | undefined

/** Builds once per run: all its starts measure the same build. */
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

export async function startDistribution(): Promise<OwnTarget> {
  const distribution = await startDistributionOnFiles()
  const { url, pid } = distribution
  return { name: 'distribution', url, pid, [Symbol.asyncDispose]: () => distribution[Symbol.asyncDispose]() }
}

/** Returns the target of a registry that is already running; its process is found by its port. */
export function runningTarget({ name, url }: NamedUrl): Target {
  const port = new URL(url).port || '80'
  return { name, url, pid: findListener(Number(port)) }
}
