/**
 * The limits of the HTTP layer, each with its reason. Uploads have no minimum speed, because an honest slow one may
 * take hours. The limits are on silence, size, and connections per address.
 */
export interface HttpLimits extends ConfiguredHttpLimits {
  /**
   * The most tags in one `PUT manifests/<digest>?tag=...`. The spec requires at least 10; 100 tags of 128 characters
   * fit the URL.
   */
  readonly tagsPerPut: number
  /** The largest form. A token request with a password and many scopes is 2 KiB. */
  readonly formBytes: number
  /**
   * The time from the first read of a body that is held in memory (a manifest, a form, JSON of the API) to its end.
   * Without this limit, a client that sends one byte a minute would hold the memory for years. The largest manifest
   * arrives in time at 35 KB/s.
   */
  readonly wholeBodyMs: number
  /**
   * The time in which a client that holds memory must read a megabyte of its reply, or send a megabyte of its manifest,
   * while other requests wait for that memory. If it does not, its connection is closed. The kernel accepts our bytes
   * in portions of up to a megabyte or more, so an honest slow client can look silent for seconds.
   */
  readonly crowdedReplyIdleMs: number
  /** How much of a refused body is still read, so that the client sees the status and not a connection reset. */
  readonly refusedBodyBytes: number
  /** How long a refused body is still read. */
  readonly refusedBodyMs: number
  /** The time from the first byte of a connection or request to the end of its head, and for the TLS handshake. */
  readonly headersMs: number
  /**
   * How long an idle connection stays open. Ideally longer than in common load balancers and Go clients (60 to 90 s);
   * 75 s is the usual compromise.
   */
  readonly keepAliveMs: number
  /** The size of request line and headers: tokens with many scopes and many `Accept` lines must fit. */
  readonly headerBytes: number
  /** The length of the URL; proxies and load balancers commonly accept no more. */
  readonly urlBytes: number
  /**
   * The most requests that may arrive on a connection before the first is answered. No registry client pipelines. At 4
   * KiB for each waiting request (an estimate of its head and Node's objects), 1,000 connections of one address hold 64
   * MiB.
   */
  readonly waitingPerConnection: number
}

/** The limits that can be configured; `config/sections/limits.ts` has their defaults and reasons. */
export interface ConfiguredHttpLimits {
  readonly manifestBytes: number
  /** The longest silence inside a request body; an upload session keeps the bytes received so far. */
  readonly bodyIdleMs: number
  /** How long a client may read nothing of a reply before its connection is closed. */
  readonly replyIdleMs: number
  /**
   * The most memory, over all connections, for replies that are made in memory and not sent yet, and for manifests that
   * are arriving. One account, the robots of one owner, or one address without an account may use a quarter.
   */
  readonly replyMemoryBytes: number
  /** The most open connections; additional ones are closed at once. */
  readonly connections: number
  /** The most open connections of one address. Declared proxies are exempt, because they carry many clients. */
  readonly connectionsPerAddress: number
}

const kibibyte = 1024
const mebibyte = 1024 * kibibyte

/** The limits that cannot be configured. */
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

/** Replies smaller than this never wait for memory, and are written at once. */
export const smallReplyBytes = 64 * kibibyte
/** The longest tag or repository name in JSON, with its quotes and comma. */
export const maxTagEntryBytes = 128 + 3
export const maxRepositoryEntryBytes = 255 + 3
/** The largest page of referrers. A page ends at 3 MiB, or after its first descriptor if that alone is larger. */
export const maxReferrersReplyBytes = 4 * mebibyte

/** The most names on a page of a tags list, and the default: clients that never page should usually see all tags. */
export const maxTagsPage = 10_000
/** The default of other registries, which clients expect. */
export const defaultCatalogPage = 100
export const maxCatalogPage = 1_000
/** The most descriptors on a page. Descriptors include annotations, so these pages are shorter than pages of names. */
export const maxReferrersPage = 1_000
