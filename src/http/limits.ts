/**
 * Bounds of the HTTP layer, each with its reason. There is no least speed of uploads: an honest slow one may take
 * hours. What is bounded is silence, size, and how many connections one address may hold.
 */
export interface HttpLimits extends ConfiguredHttpLimits {
  /** Tags in one `PUT manifests/<digest>?tag=...`: the spec asks for 10 at least; 100 of 128 characters fit the URL. */
  readonly tagsPerPut: number
  /** A request for a token with a password and many scopes has 2 KiB. */
  readonly formBytes: number
  /**
   * From the first read of a body that is kept in memory (a manifest, a form, JSON of the API) to its end: a byte a minute would
   * otherwise hold its memory for years. The largest manifest comes in time at 35 KB/s.
   */
  readonly wholeBodyMs: number
  /**
   * Within this time a client that holds memory which others wait for takes a megabyte of its reply, or sends one of its manifest, or it is
   * cut. The kernel takes our bytes in
   * portions that can reach a megabyte or more, so that an honest slow client looks silent for seconds.
   */
  readonly crowdedReplyIdleMs: number
  /** How much of a refused body is still read, so that the client sees the status and no reset ... */
  readonly refusedBodyBytes: number
  /** ... and for how long. */
  readonly refusedBodyMs: number
  /** From the first byte of a connection or request to the end of its head, and for the handshake of TLS. */
  readonly headersMs: number
  /** Above what load balancers and Go clients (60 to 90 s) commonly use would be ideal; 75 s is the usual compromise. */
  readonly keepAliveMs: number
  /** Request line and headers: tokens with many scopes and many `Accept` lines must fit. */
  readonly headerBytes: number
  /** Of the request line alone; proxies and load balancers commonly take no more. */
  readonly urlBytes: number
  /**
   * Requests that came on a connection before the first was answered. No registry client pipelines. With 4 KiB
   * for each that waits (an estimate of its head and Node's objects) 1,000 connections of one address hold 64 MiB.
   */
  readonly waitingPerConnection: number
}

/** Limits that the configuration sets: `config/sections/limits.ts` has their defaults and the reasons. */
export interface ConfiguredHttpLimits {
  readonly manifestBytes: number
  /** Silence inside a request body; the session keeps what arrived. */
  readonly bodyIdleMs: number
  /** A reader that takes nothing of a reply for this long is cut. */
  readonly replyIdleMs: number
  /**
   * Replies that are made in memory and not taken yet, and manifests that come in, over all connections. One account, the robots of one
   * owner, or one address without an account, gets a quarter.
   */
  readonly replyMemoryBytes: number
  /** One more is closed at once. */
  readonly connections: number
  /** Declared proxies are exempt: they speak for many. */
  readonly connectionsPerAddress: number
}

const kibibyte = 1024
const mebibyte = 1024 * kibibyte

/** Limits that nobody configures. */
export const fixedHttpLimits: Omit<HttpLimits, keyof ConfiguredHttpLimits> = {
  tagsPerPut: 100,
  formBytes: 64 * kibibyte,
  wholeBodyMs: 300_000,
  crowdedReplyIdleMs: 30_000,
  refusedBodyBytes: 64 * mebibyte,
  refusedBodyMs: 10_000,
  headersMs: 30_000,
  keepAliveMs: 75_000,
  headerBytes: 32 * kibibyte,
  urlBytes: 16 * kibibyte,
  waitingPerConnection: 16,
}

/** Replies below this never wait for memory, and are written at once. */
export const smallReplyBytes = 64 * kibibyte
/** In JSON: the longest tag, or name of a repository, with its quotes and comma. */
export const maxTagEntryBytes = 128 + 3
export const maxRepositoryEntryBytes = 255 + 3
/** A page of referrers ends at 3 MiB or with its first descriptor. */
export const maxReferrersReplyBytes = 4 * mebibyte

/** Names per page of a tags list, asked for or not; clients that never page should see everything usual. */
export const maxTagsPage = 10_000
/** The default of other registries, which clients know. */
export const defaultCatalogPage = 100
export const maxCatalogPage = 1_000
/** Descriptors carry their annotations, so pages of referrers are shorter than those of names. */
export const maxReferrersPage = 1_000
