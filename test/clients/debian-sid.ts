/**
 * Programs of Debian's unstable suite, which `scripts/tools/docker-sid.sh` unpacks beside the stable ones. The suite may be
 * unavailable, and its programs may not run here: both are reported by name and are not failures.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export const sidFolder = join(import.meta.dirname, '../../.tools/docker-sid')

/**
 * Returns why a program cannot be tested here, in the installer's words. Throws when it is missing and the installer did not run.
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
  /** The folder of `usr/bin`; absent: Debian's stable release is installed in the system. */
  readonly folder?: string
}

export type Started<K extends Kind, S> = K & { readonly started: S }

/**
 * Starts all available programs. Programs of the unstable suite that are missing or do not run here are reported; a missing
 * stable program is a failure.
 */
export async function startAvailable<K extends Kind, S>(
  kinds: readonly K[],
  start: (kind: K) => Promise<S>,
  program: string,
): Promise<readonly Started<K, S>[]> {
  // Checked before the first start, so that an error here leaves nothing running.
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
