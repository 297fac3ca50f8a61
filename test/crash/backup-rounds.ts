/**
 * Kills `lading backup` beside a busy registry and `lading restore` with `kill -9`, at random points, and runs each again. The
 * restored registry must hold everything that was acknowledged before the last backup began.
 */
import { existsSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

import { findLostImages, startImagePushes } from '../support/uploads/image-pushes.ts'
import { startCommand } from '../support/processes/run-process.ts'
import type { SeededRandom } from '../support/content/seeded-random.ts'
import { createRandom } from '../support/content/seeded-random.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import { compareData } from '../support/processes/stopped-data.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'

type Environment = Readonly<Record<string, string>>

export interface BackupRoundsOptions {
  readonly seed: number
  /** How often to kill a backup, and how often a restore. */
  readonly kills: number
  /** The number of images acknowledged before the first backup. */
  readonly images: number
  readonly kind: 'folder' | 'archive'
  /** The database of the registry to back up; default: SQLite. */
  readonly from?: Environment
  /** Opens an empty database for each restore; default: SQLite. */
  readonly openTarget?: () => Promise<Environment>
}

export interface BackupRoundsReport {
  readonly killedBackups: number
  readonly killedRestores: number
  /** The number of images acknowledged before the last backup and pulled from the restored registry. */
  readonly images: number
  /** The number of images acknowledged while backups ran. */
  readonly imagesMeanwhile: number
  /** The faults, as sentences. */
  readonly problems: readonly string[]
}

/** The latest kill after the first file appears; a whole run takes about as long. */
const latestKillMs = 400
const attemptsPerKill = 10

export async function backupRounds(options: BackupRoundsOptions): Promise<BackupRoundsReport> {
  const { seed, kills, kind, images, from = {}, openTarget = () => Promise.resolve({}) } = options
  const random = createRandom(seed)
  await using folder = await tempFolder('lading-backup')
  const [dataDir, place] = [join(folder.path, 'data'), join(folder.path, kind === 'folder' ? 'b' : 'b.tar')]
  const problems: string[] = []
  const commands = new Commands({ random, problems, env: { ...from, LADING_DATA: dataDir } })

  const registry = await startRegistry({ dataDir, env: from })
  await using stack = new AsyncDisposableStack()
  stack.use(registry)
  const pushes = stack.use(startImagePushes({ url: registry.url }))
  await pushes.reached(images)
  const killedBackups = await commands.killOften(['backup', place], kills, {
    begun: () =>
      kind === 'folder'
        ? existsSync(join(place, 'incoming'))
        : readdirSync(folder.path).some((name) => name.endsWith('.partial')),
    // The kill may come after the archive got its name; no later run overwrites it.
    isDone: () => kind === 'archive' && existsSync(place),
    reset: () => rm(`${folder.path}/b.tar`, { force: true }),
  })
  const marked = [...pushes.acknowledged]
  await commands.complete(['backup', place])
  const imagesMeanwhile = pushes.acknowledged.length - images
  await pushes.stop()
  await registry.stop()
  await commands.complete(['backup', 'verify', place])

  let round = 0
  const target = { dataDir: '', env: {} as Environment }
  const openNext = async (): Promise<void> => {
    target.dataDir = join(folder.path, `restored${round++}`)
    target.env = await openTarget()
    commands.env = { ...target.env, LADING_DATA: target.dataDir }
  }
  await openNext()
  const killedRestores = await commands.killOften(['restore', place], kills, {
    begun: () => existsSync(join(target.dataDir, 'lading.db.restore')),
    reset: openNext,
  })
  await commands.complete(['restore', place])
  {
    await using restored = await startRegistry(target)
    problems.push(...(await findLostImages(restored.url, marked)))
    await restored.stop()
  }
  // Files are compared to the rows of a SQLite database.
  if (options.openTarget === undefined) problems.push(...(await compareData(target.dataDir)))
  return { killedBackups, killedRestores, images: marked.length, imagesMeanwhile, problems }
}

interface KillOptions {
  /** Returns whether the command has begun to write. */
  readonly begun: () => boolean
  /** Returns whether a killed run had nothing left to do. */
  readonly isDone?: () => boolean
  /** Called after a run that ended before its kill or had nothing left to do. */
  readonly reset: () => Promise<void>
}

class Commands {
  env: Environment
  readonly #random: SeededRandom
  readonly #problems: string[]

  constructor(deps: { random: SeededRandom; problems: string[]; env: Environment }) {
    this.#random = deps.random
    this.#problems = deps.problems
    this.env = deps.env
  }

  /** Returns how often the command was killed at work. */
  async killOften(args: readonly string[], kills: number, options: KillOptions): Promise<number> {
    const { begun, reset, isDone = () => false } = options
    let killed = 0
    for (let attempt = 0; attempt < attemptsPerKill * kills && killed < kills; attempt += 1) {
      const { code, output } = await this.#killOnce(args, begun)
      if (code === null) killed += 1
      if (code === 0 || (code === null && isDone())) await reset()
      else if (code !== null)
        this.#problems.push(`lading ${args.join(' ')} after a kill ended with ${code}: ${output}`)
    }
    return killed
  }

  async #killOnce(
    args: readonly string[],
    begun: () => boolean,
  ): Promise<{ code: number | null; output: string }> {
    const command = startCommand(args, this.env)
    while (!begun() && !command.hasEnded) await sleep(2)
    const until = performance.now() + this.#random.integer(0, latestKillMs)
    while (performance.now() < until && !command.hasEnded) await sleep(2)
    command.kill()
    return await command.exit
  }

  async complete(args: readonly string[]): Promise<void> {
    const { code, output } = await startCommand(args, this.env).exit
    if (code !== 0) this.#problems.push(`lading ${args.join(' ')} ended with ${code}: ${output}`)
  }
}
