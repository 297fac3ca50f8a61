/**
 * Parses pushed manifests and their configs. A parsed value needs many times the memory of its text: 3 MiB of empty objects
 * become about 100 MiB. So large ones wait for each other, and the accounts that push them take turns.
 */
import { FairTurns } from '../../lib/turns/fair-turns.ts'
import { runInTurns } from '../../lib/turns/steps.ts'
import { Turns } from '../../lib/turns/turns.ts'
import type { ParsedManifest } from '../../oci/manifest/parse-manifest.ts'
import { readManifest } from '../../oci/manifest/parse-manifest.ts'
import { readProperties } from '../../oci/metadata/extract-properties.ts'
import type { Property } from '../../oci/metadata/property.ts'
import type { FoundConfig } from './find-config.ts'

/** Nearly all manifests and configs are smaller; a thousand of this size at once need a few hundred megabytes. */
const largeBytes = 16 * 1024
/** An account has at most one place, so that the other stays free for other accounts. */
const places = 2

export interface PushedManifest {
  readonly bytes: Uint8Array
  readonly contentType: string | undefined
  /** The account that pushes. */
  readonly party: string
}

export interface PushedConfig {
  readonly manifest: ParsedManifest
  readonly config: FoundConfig | undefined
  /** The account that pushes. */
  readonly party: string
}

export class ManifestParser {
  readonly #read: typeof readManifest
  readonly #turns = new FairTurns({ slots: places, maxWaiting: Infinity })

  constructor(options: { readonly read?: typeof readManifest } = {}) {
    this.#read = options.read ?? readManifest
  }

  /** Throws `ManifestInvalidError`. */
  parse({ bytes, contentType, party }: PushedManifest): Promise<ParsedManifest> {
    const run = (): Promise<ParsedManifest> =>
      runInTurns(this.#read(bytes, contentType), new Turns({ party }))
    return this.#runFairly({ party, bytes: bytes.length }, () => runInFreeTurn(run, party))
  }

  /**
   * Returns the searchable properties of the manifest and its config. A large config is read into memory only when its turn
   * comes.
   */
  extractProperties({ manifest, config, party }: PushedConfig): Promise<readonly Property[]> {
    const run = async (): Promise<readonly Property[]> =>
      runInTurns(readProperties(manifest, await config?.read()), new Turns({ party }))
    return this.#runFairly({ party, bytes: config?.size ?? 0 }, run)
  }

  #runFairly<T>({ party, bytes }: { party: string; bytes: number }, run: () => Promise<T>): Promise<T> {
    return bytes < largeBytes ? run() : this.#turns.run({ party }, run)
  }
}

/** Many can arrive in one turn of the event loop, and those below 256 KiB may be read without a pause, in up to 4 ms each. */
async function runInFreeTurn<T>(run: () => Promise<T>, party: string): Promise<T> {
  const turns = new Turns({ party })
  // Nothing comes between the check and the work.
  if (turns.isDue()) await turns.rest()
  return run()
}
