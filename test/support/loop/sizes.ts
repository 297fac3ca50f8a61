/** How much data the proof of the event loop builds, and how hard it asks. */
export interface LoopSizes {
  readonly tags: number
  readonly auditEvents: number
  readonly owners: number
  readonly repositoriesPerOwner: number
  readonly referrers: number
  /** Manifests with one subject whose descriptors carry annotations of `annotationBytes`. */
  readonly annotatedReferrers: number
  readonly annotationBytes: number
  readonly layeredManifests: number
  readonly layersPerManifest: number
  readonly grants: number
  /** At most 100: as many as an access token may have. */
  readonly hostilePatterns: number
  readonly longNames: number
  readonly purgedRepositories: number
  readonly tagsOfOneManifest: number
  readonly largeManifestBytes: number
  readonly blobBytes: number
  readonly pipelinedManifests: number
  readonly pipelinedTagLists: number
  readonly pipelinedBlobs: number
  readonly silentReaders: number
  readonly silentMs: number
  /** Before, and after, each row: so long the probe sees the server idle. */
  readonly settleMs: number
  /** Of one row; what takes longer is cut off and does not hold. */
  readonly deadlineMs: number
}

const mebibyte = 1024 * 1024

export const millionRows: LoopSizes = {
  tags: 1_000_000,
  auditEvents: 1_000_000,
  owners: 10_000,
  repositoriesPerOwner: 10,
  referrers: 100_000,
  annotatedReferrers: 100,
  annotationBytes: 4 * mebibyte,
  layeredManifests: 150,
  layersPerManifest: 10_000,
  grants: 1_600,
  hostilePatterns: 100,
  longNames: 1_000,
  purgedRepositories: 500,
  tagsOfOneManifest: 10_000,
  largeManifestBytes: 10 * mebibyte,
  blobBytes: mebibyte,
  pipelinedManifests: 500,
  pipelinedTagLists: 600,
  pipelinedBlobs: 300,
  silentReaders: 200,
  silentMs: 15_000,
  settleMs: 200,
  deadlineMs: 90_000,
}

/** A hundredth, for the run that keeps the program from rotting. */
export const hundredthRows: LoopSizes = {
  tags: 10_000,
  auditEvents: 10_000,
  owners: 100,
  repositoriesPerOwner: 10,
  referrers: 1_000,
  annotatedReferrers: 4,
  annotationBytes: mebibyte,
  layeredManifests: 2,
  layersPerManifest: 1_000,
  grants: 50,
  hostilePatterns: 10,
  longNames: 20,
  purgedRepositories: 5,
  tagsOfOneManifest: 500,
  largeManifestBytes: mebibyte,
  blobBytes: 64 * 1024,
  // More than one connection may ask for at once.
  pipelinedManifests: 20,
  pipelinedTagLists: 20,
  pipelinedBlobs: 20,
  silentReaders: 5,
  silentMs: 200,
  settleMs: 60,
  deadlineMs: 20_000,
}
