/** A registry under measurement. */
export interface Target {
  readonly name: string
  /** No slash at the end. */
  readonly url: string
  /** Undefined when it does not run on this machine: its cost is unknown then. */
  readonly pid: number | undefined
  /** Sent with the small requests; undefined: anonymous. */
  readonly authorization?: string
}

/** A target with the bench's content in it. */
export interface SeededTarget extends Target {
  readonly hasReferrers: boolean
  readonly tags: readonly string[]
  readonly manifestDigest: string
  readonly layerDigest: string
  readonly smallBlobDigests: readonly string[]
  readonly large: { readonly digest: string; readonly sizeBytes: number }
}

export const seedRepository = 'bench/seed'

export function repositoryUrl(target: Target, repository: string): string {
  return `${target.url}/v2/${repository}`
}
