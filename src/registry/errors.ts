/**
 * The errors of the registry itself. Each message says what is refused, why, and what to do; `edge/error-table.ts`
 * gives each error a status.
 */
import { OciError } from '../oci/oci-error.ts'
import type { Digest } from '../oci/digest.ts'
import { quote } from '../oci/quote.ts'
import { formatReference, type Reference } from '../oci/reference.ts'
import { ownerOf } from '../oci/repository-name.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { TagName } from '../oci/tag-name.ts'

export class BlobUnknownError extends OciError {
  override readonly name = 'BlobUnknownError'
  readonly code = 'BLOB_UNKNOWN'
  readonly detail: { repository: RepositoryName; digest: Digest }
  constructor(detail: BlobUnknownError['detail'], options?: ErrorOptions) {
    super(`blob ${detail.digest} is not in repository ${detail.repository}: push or mount it there`, options)
    this.detail = detail
  }
}

/** The blob has a row, but its bytes are missing. To clients it is absent, and pushing it again restores it. */
export class BlobDamagedError extends OciError {
  override readonly name = 'BlobDamagedError'
  readonly code = 'BLOB_UNKNOWN'
  readonly detail: { repository: RepositoryName; digest: Digest }
  constructor(detail: BlobDamagedError['detail'], options?: ErrorOptions) {
    super(
      `blob ${detail.digest} of repository ${detail.repository} is damaged: the registry does not have all of its bytes; push it again`,
      options,
    )
    this.detail = detail
  }
}

/** A manifest of the repository still uses the blob: deleting it would break that image. */
export class BlobInUseError extends OciError {
  override readonly name = 'BlobInUseError'
  readonly code = 'UNSUPPORTED'
  readonly detail: { repository: RepositoryName; digest: Digest; manifest: Digest }
  constructor(detail: BlobInUseError['detail'], options?: ErrorOptions) {
    super(
      `blob ${detail.digest} is used by manifest ${detail.manifest} of ${detail.repository}: delete that manifest first`,
      options,
    )
    this.detail = detail
  }
}

export class CursorInvalidError extends OciError {
  override readonly name = 'CursorInvalidError'
  readonly code = 'PAGINATION_NUMBER_INVALID'
  readonly detail: { cursor: string }
  constructor(cursor: string, options?: ErrorOptions) {
    super(
      `${quote(cursor)} is not a cursor of this list: follow the Link header unchanged, or start again without a cursor`,
      options,
    )
    this.detail = { cursor: cursor.slice(0, 100) }
  }
}

export class DeleteDisabledError extends OciError {
  override readonly name = 'DeleteDisabledError'
  readonly code = 'UNSUPPORTED'
  readonly detail: { setting: string }
  constructor(options?: ErrorOptions) {
    super('deletion is switched off on this registry: an operator can set delete.enabled to true', options)
    this.detail = { setting: 'delete.enabled' }
  }
}

/** The owner was renamed during the push. */
export class OwnerRenamedError extends OciError {
  override readonly name = 'OwnerRenamedError'
  readonly code = 'DENIED'
  readonly detail: { formerName: string; newName: string }
  constructor({ formerName, newName }: OwnerRenamedError['detail'], options?: ErrorOptions) {
    super(
      `${formerName} is now called ${newName}, and the former name only serves pulls: push to ${newName}`,
      options,
    )
    this.detail = { formerName, newName }
  }
}

/**
 * Also thrown if the repository does not exist: clients read only this code as a missing image, and stop at
 * `NAME_UNKNOWN`.
 */
export class ManifestUnknownError extends OciError {
  override readonly name = 'ManifestUnknownError'
  readonly code = 'MANIFEST_UNKNOWN'
  readonly detail: { repository: RepositoryName; reference: string }
  constructor(
    repository: RepositoryName,
    reference: Reference,
    { isRepositoryKnown = true }: { readonly isRepositoryKnown?: boolean } = {},
  ) {
    const text = formatReference(reference)
    const reason = isRepositoryKnown
      ? `repository ${repository} has no ${reference.kind} ${text}`
      : `repository ${repository} does not exist: the first push creates it`
    super(`manifest unknown: ${reason}`)
    this.detail = { repository, reference: text }
  }
}

/**
 * The most missing digests that one error names. A manifest may name 10,000, and an error with all of them would be
 * larger than the manifest.
 */
const maxNamedMissing = 150

/** Carries the missing digests, at most the first 150, so that a client can push all of them at once. */
export class ManifestBlobUnknownError extends OciError {
  override readonly name = 'ManifestBlobUnknownError'
  readonly code = 'MANIFEST_BLOB_UNKNOWN'
  readonly detail: { repository: RepositoryName }
  readonly missing: readonly Digest[]
  /** How many missing digests are left out. */
  readonly unnamed: number
  constructor(repository: RepositoryName, missing: readonly Digest[], options?: ErrorOptions) {
    const named = missing.slice(0, maxNamedMissing)
    const unnamed = missing.length - named.length
    const rest = unnamed === 0 ? '' : ` and ${unnamed} more`
    super(
      `the manifest names content that is not in ${repository}: ${named.join(', ')}${rest}; push it first`,
      options,
    )
    this.detail = { repository }
    this.missing = named
    this.unnamed = unnamed
  }
}

const maxNamedSizes = 10

export interface WrongSize {
  readonly digest: Digest
  /** The size in the descriptor. */
  readonly given: number
  /** The size of the content in the repository. */
  readonly actual: number
}

/**
 * A descriptor gives the wrong size for its content. The code is not `MANIFEST_INVALID`: containers/image reads that
 * code as a manifest type that the registry does not support, and would push the same sizes again in each other type.
 */
export class DescriptorSizeError extends OciError {
  override readonly name = 'DescriptorSizeError'
  readonly code = 'SIZE_INVALID'
  readonly detail: { repository: RepositoryName; sizes: readonly WrongSize[] }
  constructor(repository: RepositoryName, wrong: readonly WrongSize[], options?: ErrorOptions) {
    const named = wrong.slice(0, maxNamedSizes)
    const texts = named.map(({ digest, given, actual }) => `${digest} has ${actual} bytes, not ${given}`)
    const rest = wrong.length > named.length ? `; ${wrong.length - named.length} more are wrong` : ''
    super(
      `the descriptors give wrong sizes (in ${repository} ${texts.join('; ')}${rest}): push a manifest with the right sizes`,
      options,
    )
    this.detail = { repository, sizes: named }
  }
}

/** The caller may push, but not create or not update this tag or repository; nothing was changed. */
export class PushDeniedError extends OciError {
  override readonly name = 'PushDeniedError'
  readonly code = 'DENIED'
  readonly detail: {
    repository: RepositoryName
    tag?: TagName
    right: 'push:create' | 'push:update'
  }
  /** `lackedBy: 'token'`: no role helps, because the access token was created without the right. */
  constructor(
    detail: PushDeniedError['detail'],
    { lackedBy, ...options }: ErrorOptions & { readonly lackedBy?: 'token' | undefined } = {},
  ) {
    const { repository, right } = detail
    const help =
      lackedBy === 'token'
        ? `use an access token that was created with the action ${right}`
        : `ask ${ownerOf(repository)} or an administrator for a role with ${right}`
    super(`${explainPush(detail)}, or ${help}`, options)
    this.detail = detail
  }
}

function explainPush({ repository, tag, right }: PushDeniedError['detail']): string {
  const needs = `needs the right ${right}, which you do not have here`
  if (tag === undefined)
    return `${repository} does not exist, and creating it ${needs}: push to an existing repository`
  if (right === 'push:create') {
    return `${repository} has no tag ${tag}, and creating it ${needs}: push to an existing tag`
  }
  return `tag ${tag} of ${repository} points at another manifest, and moving it ${needs}: push another tag`
}

export class DigestMismatchError extends OciError {
  override readonly name = 'DigestMismatchError'
  readonly code = 'DIGEST_INVALID'
  readonly detail: { expected: Digest; actual: Digest; size: number }
  constructor(detail: DigestMismatchError['detail'], options?: ErrorOptions) {
    super(
      `the ${detail.size} bytes received have digest ${detail.actual}, not ${detail.expected} as announced: send the content again`,
      options,
    )
    this.detail = detail
  }
}

export class UploadUnknownError extends OciError {
  override readonly name = 'UploadUnknownError'
  readonly code = 'BLOB_UPLOAD_UNKNOWN'
  readonly detail: { repository: RepositoryName; upload: string }
  constructor(repository: RepositoryName, upload: string, options?: ErrorOptions) {
    super(
      `upload session ${upload} is not open in ${repository}: it has ended, has expired or never existed; start a new one with POST`,
      options,
    )
    this.detail = { repository, upload }
  }
}

/** The chunk does not start at the offset of the session (distribution-spec end-5, end-6: 416). */
export class UploadOutOfOrderError extends OciError {
  override readonly name = 'UploadOutOfOrderError'
  readonly code = 'RANGE_INVALID'
  readonly detail: { upload: string; offset: number }
  readonly offset: number
  constructor(upload: string, offset: number, options?: ErrorOptions) {
    super(`upload session ${upload} has ${offset} bytes: the next chunk must start at ${offset}`, options)
    this.offset = offset
    this.detail = { upload, offset }
  }
}

export class SizeInvalidError extends OciError {
  override readonly name = 'SizeInvalidError'
  readonly code = 'SIZE_INVALID'
  readonly detail: { announced: number; received: number }
  constructor(detail: SizeInvalidError['detail'], options?: ErrorOptions) {
    super(
      `the request announced ${detail.announced} bytes but had ${detail.received}: none were kept; send it again with the right length`,
      options,
    )
    this.detail = detail
  }
}

/** The `Content-Range` and `Content-Length` of a chunk contradict each other. */
export class ChunkLengthError extends OciError {
  override readonly name = 'ChunkLengthError'
  readonly code = 'SIZE_INVALID'
  readonly detail: { contentRange: string; contentLength: number }
  constructor(chunk: { readonly start: number; readonly length: number; readonly contentLength: number }) {
    const { start, length, contentLength } = chunk
    const contentRange = `${start}-${start + length - 1}`
    super(
      `Content-Range ${contentRange} covers ${length} bytes, but the body has ${contentLength}: make them equal`,
    )
    this.detail = { contentRange, contentLength }
  }
}

export class TooManyUploadsError extends OciError {
  override readonly name = 'TooManyUploadsError'
  readonly code = 'TOOMANYREQUESTS'
  readonly detail: { limit: number; setting: string }
  /** The time until the next session expires. */
  override readonly retryAfterSeconds: number
  constructor(
    { limit, retryAfterSeconds }: { readonly limit: number; readonly retryAfterSeconds: number },
    options?: ErrorOptions,
  ) {
    super(
      `all ${limit} upload sessions that a client may have open are in use: finish or cancel one; the next one expires in ${retryAfterSeconds} s`,
      options,
    )
    this.retryAfterSeconds = retryAfterSeconds
    this.detail = { limit, setting: 'uploads.maxSessions' }
  }
}

/** An `If-Match` or `If-None-Match` condition failed; `current` is the digest that the tag points at. */
export class PreconditionFailedError extends OciError {
  override readonly name = 'PreconditionFailedError'
  readonly code = 'DENIED'
  override readonly kind = 'PRECONDITION_FAILED'
  readonly detail: { tag: string; current: Digest | null }
  constructor(tag: string, current: Digest | undefined, options?: ErrorOptions) {
    const state = current === undefined ? 'does not exist' : `points at ${current}`
    super(`tag ${tag} ${state}: the condition of the request failed; read the tag again and retry`, options)
    this.detail = { tag, current: current ?? null }
  }
}

/** The disk, or the space given to the store or the database, is full. */
export class InsufficientStorageError extends OciError {
  override readonly name = 'InsufficientStorageError'
  readonly code = 'UNAVAILABLE'
  override readonly kind = 'STORAGE_FULL'
  readonly detail: null = null
  constructor(options?: ErrorOptions) {
    super(
      'the registry has no space left, so this request failed: ask an operator to free space, then retry',
      options,
    )
  }
}

export class UnavailableError extends OciError {
  override readonly name = 'UnavailableError'
  readonly code = 'UNAVAILABLE'
  readonly detail: null = null
  override readonly retryAfterSeconds = 5
  constructor(options?: ErrorOptions) {
    super('the registry cannot reach its storage at the moment: retry later', options)
  }
}
