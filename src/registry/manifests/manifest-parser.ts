/**
 * Parses pushed manifests and their configs. What comes out of a parser takes many times the memory of the text: 3 MiB of empty objects make a
 * hundred. Large ones therefore wait for each other, and the accounts that push them take turns.
 */
import { FairTurns } from '../../lib/turns/fair-turns.ts'
import { runInTurns } from '../../lib/turns/steps.ts'
import { Turns } from '../../lib/turns/turns.ts'
import type { ParsedManifest } from '../../oci/manifest/parse-manifest.ts'
import { readManifest } from '../../oci/manifest/parse-manifest.ts'
import { readProperties } from '../../oci/metadata/extract-properties.ts'
import type { Property } from '../../oci/metadata/property.ts'
import type { FoundConfig } from './find-config.ts'

/** Nearly all manifests and configs are smaller; a thousand of these at once come to some hundred megabytes. */
const largeBytes = 16 * 1024
/** An account has one place at most, so that the other is for others. */
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
    return this.#runFairly({ party, bytes: bytes.length }, run)
  }

  /** What a search may find of the manifest and its config. A large config is read into memory when its turn has come. */
  extractProperties({ manifest, config, party }: PushedConfig): Promise<readonly Property[]> {
    const run = async (): Promise<readonly Property[]> =>
      runInTurns(readProperties(manifest, await config?.read()), new Turns({ party }))
    return this.#runFairly({ party, bytes: config?.size ?? 0 }, run)
  }

  #runFairly<T>({ party, bytes }: { party: string; bytes: number }, run: () => Promise<T>): Promise<T> {
    return bytes < largeBytes ? run() : this.#turns.run({ party }, run)
  }
}
