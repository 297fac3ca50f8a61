/** A registry to measure. */
export interface Target {
  readonly name: string
  /** The URL, without a slash at the end. */
  readonly url: string
  /** The process; `undefined` when it is not on this machine, which makes its cost unknown. */
  readonly pid: number | undefined
  /** The header of the small requests; `undefined`: anonymous. */
  readonly authorization?: string
}

/** A target that holds the bench's content. */
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
