/**
 * Programs of Debian's unstable suite, unpacked by `scripts/tools/docker-sid.sh` beside the stable ones. That suite may
 * be out of reach, and what it has may not run here: both are reported by name, and are no failure.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export const sidFolder = join(import.meta.dirname, '../../.tools/docker-sid')

/**
 * Why a program cannot be tried here, in the installer's words. Throws when it is missing and nobody tried to get it.
 * `program` is a path below the folder.
 */
export async function whyUnavailable(program: string): Promise<string | undefined> {
  const reason = await readFile(join(sidFolder, 'unavailable'), 'utf8').catch(() => undefined)
  if (reason === undefined && !existsSync(join(sidFolder, program))) {
    throw new Error(`${program} of Debian sid is missing: run scripts/tools/docker-sid.sh`)
  }
  return reason
}

export interface Kind {
  readonly name: string
  /** Where `usr/bin` is; absent: as Debian's stable release installs it. */
  readonly folder?: string
}

export type Started<K extends Kind, S> = K & { readonly started: S }

/** All that can be had. What the unstable suite lacks or cannot run here is named; a missing stable one is a failure. */
export async function startAvailable<K extends Kind, S>(
  kinds: readonly K[],
  start: (kind: K) => Promise<S>,
  program: string,
): Promise<readonly Started<K, S>[]> {
  // All before the first start: what throws here leaves nothing running.
  const known = await Promise.all(
    kinds.map(async (kind) => ({
      kind,
      reason: kind.folder === undefined ? undefined : await whyUnavailable(program),
    })),
  )
  const outcomes = await Promise.all(
    known.map(async ({ kind, reason }) => {
      if (reason !== undefined) return { kind, reason }
      return await start(kind).then(
        (started) => ({ kind, started }),
        (error: Error) => ({ kind, reason: error.message }),
      )
    }),
  )
  return outcomes.flatMap(({ kind, ...outcome }) => {
    if ('started' in outcome) return [{ ...kind, started: outcome.started }]
    if (kind.folder === undefined) throw new Error(outcome.reason)
    process.stdout.write(`${kind.name} is unavailable and was not tried: ${outcome.reason}\n`)
    return []
  })
}
