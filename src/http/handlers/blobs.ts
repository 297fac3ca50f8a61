/** Blobs (distribution-spec end-2, end-10). */
import { parseDigest } from '../../oci/digest.ts'
import type { Digest } from '../../oci/digest.ts'
import type { ByteRange, OpenBlob } from '../../registry/blobs.ts'
import { RangeUnsatisfiableError } from '../errors.ts'
import { formatEntityTag, isNotModified, isRangeCurrent } from '../headers/entity-tag.ts'
import { formatBlobRange, selectRanges } from '../headers/range.ts'
import type { RangeSelection } from '../headers/range.ts'
import { multipartReply } from '../replies/multipart.ts'
import { bodilessReply, bytesReply, emptyReply } from '../replies/reply.ts'
import type { HeaderList, Reply } from '../replies/reply.ts'
import type { RepositoryRequest } from '../requests/request.ts'
import type { HandlerDeps } from './handler-deps.ts'

/** Answers GET and HEAD. HEAD opens no blob and ignores `Range`, which is defined for GET only (RFC 9110, 14.2). */
export async function getBlob(request: RepositoryRequest, deps: HandlerDeps): Promise<Reply> {
  const { repository, headers } = request
  const digest = parseDigest(request.argument)
  const { blobs } = deps.registry
  if (request.method === 'HEAD') {
    const { size } = await blobs.stat(repository, digest)
    if (isNotModified(headers, digest)) return bodilessReply(304, validators(digest))
    return { status: 200, headers: blobHeaders(digest), length: size }
  }
  const blob = await blobs.open(repository, digest)
  try {
    const reply = replyWith(request, blob, deps)
    if (reply.body === undefined || reply.body instanceof Uint8Array) await blob[Symbol.asyncDispose]()
    return reply
  } catch (error) {
    await blob[Symbol.asyncDispose]()
    throw error
  }
}

function replyWith({ headers }: RepositoryRequest, blob: OpenBlob, deps: HandlerDeps): Reply {
  const { digest, size } = blob
  if (isNotModified(headers, digest)) return bodilessReply(304, validators(digest))
  const selection: RangeSelection = isRangeCurrent(headers['if-range'], digest)
    ? selectRanges(headers.range, size)
    : { kind: 'whole' }
  if (selection.kind === 'unsatisfiable') throw new RangeUnsatisfiableError(headers.range ?? '', size)
  if (selection.kind === 'whole') return wholeReply(blob)
  const [only, ...others] = selection.ranges
  if (only !== undefined && others.length === 0) return rangeReply(blob, only)
  const boundary = `lading-${deps.ids.uploadId()}`
  return multipartReply(blob, {
    ranges: selection.ranges,
    boundary,
    headers: [...validators(digest), ...handling],
  })
}

function wholeReply(blob: OpenBlob): Reply {
  const headers = blobHeaders(blob.digest)
  if (blob.bytes !== undefined) return bytesReply(200, headers, blob.bytes)
  return { status: 200, headers, length: blob.size, body: streamRange(blob, undefined) }
}

function rangeReply(blob: OpenBlob, range: ByteRange): Reply {
  const headers = [...blobHeaders(blob.digest), 'Content-Range', formatBlobRange(range, blob.size)]
  if (blob.bytes !== undefined)
    return bytesReply(206, headers, blob.bytes.subarray(range.start, range.end + 1))
  return { status: 206, headers, length: range.end - range.start + 1, body: streamRange(blob, range) }
}

function streamRange(blob: OpenBlob, range: ByteRange | undefined): Reply['body'] & object {
  return {
    copyTo: (sink, signal) => blob.copyTo(sink, { range, signal }),
    [Symbol.asyncDispose]: () => blob[Symbol.asyncDispose](),
  }
}

/** Pushed content is untrusted: no browser may show a blob as a page or run it as a script (security test E1). */
function blobHeaders(digest: Digest): HeaderList {
  return ['Content-Type', 'application/octet-stream', ...validators(digest), ...handling]
}

const handling: HeaderList = [
  'Accept-Ranges',
  'bytes',
  'Content-Security-Policy',
  "default-src 'none'; sandbox",
  'Content-Disposition',
  'attachment',
]

/** The headers of a 304 (RFC 9110, 15.4.5), which every reply with this blob also has. */
function validators(digest: Digest): HeaderList {
  return [
    'Docker-Content-Digest',
    digest,
    'ETag',
    formatEntityTag(digest),
    'Cache-Control',
    'private, max-age=31536000, immutable',
  ]
}

export async function deleteBlob(request: RepositoryRequest, deps: HandlerDeps): Promise<Reply> {
  await deps.registry.blobs.delete(request.repository, parseDigest(request.argument), request.caller)
  return emptyReply(202, [])
}
