/** The amount of data and of requests in the event-loop proof. */
export interface LoopSizes {
  readonly tags: number
  readonly auditEvents: number
  readonly owners: number
  readonly repositoriesPerOwner: number
  readonly referrers: number
  /** The number of manifests that have one subject and whose descriptors carry annotations of `annotationBytes`. */
  readonly annotatedReferrers: number
  readonly annotationBytes: number
  readonly layeredManifests: number
  readonly layersPerManifest: number
  readonly grants: number
  /** At most 100, the limit of patterns of an access token. */
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
  /** How long the probe measures the idle server before and after each row. */
  readonly settleMs: number
  /** The deadline of one row; a row that takes longer is stopped and fails. */
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

/** A hundredth of the size, for the regular run of the proof's program. */
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
  // More than one connection may request at once.
  pipelinedManifests: 20,
  pipelinedTagLists: 20,
  pipelinedBlobs: 20,
  silentReaders: 5,
  silentMs: 200,
  settleMs: 60,
  deadlineMs: 20_000,
}
