/** Manifests by tag and by digest (distribution-spec end-3, end-7, end-9). */
import { actorOf } from '../../identity/actor.ts'
import { isTagName, parseTagName } from '../../oci/tag-name.ts'
import type { TagName } from '../../oci/tag-name.ts'
import { parseDigest } from '../../oci/digest.ts'
import { quote } from '../../oci/quote.ts'
import { parseReference } from '../../oci/reference.ts'
import type { Reference } from '../../oci/reference.ts'
import type { ManifestInfo, PutManifestResult } from '../../registry/manifests/manifest-types.ts'
import { RequestRefusedError, TooManyTagsError } from '../errors.ts'
import { formatEntityTag, isNotModified, parseTagCondition } from '../headers/entity-tag.ts'
import { nameOf } from '../log-request.ts'
import { manifestLocation } from '../replies/locations.ts'
import { readWhole } from '../requests/read-whole.ts'
import { bodilessReply, bytesReply, emptyReply } from '../replies/reply.ts'
import type { HeaderList, Reply } from '../replies/reply.ts'
import type { RepositoryRequest } from '../requests/request.ts'
import type { HandlerDeps } from './handler-deps.ts'

/** Answers GET and HEAD with the manifest as it was pushed, regardless of `Accept`. */
export async function getManifest(request: RepositoryRequest, deps: HandlerDeps): Promise<Reply> {
  const { repository, headers } = request
  const reference = findableReference(request)
  const { manifests } = deps.registry
  if (request.method === 'HEAD') {
    const found = await manifests.find(repository, reference)
    if (isNotModified(headers, found.digest)) return notModified(found, reference)
    return { status: 200, headers: manifestHeaders(found, reference), length: found.size }
  }
  const found = await manifests.get(repository, reference, request)
  if (isNotModified(headers, found.digest)) return notModified(found, reference)
  deps.audit.pulled(() => ({
    actor: actorOf(request.principal, request.origin),
    repository,
    detail: { tag: reference.kind === 'tag' ? reference.tag : undefined, digest: found.digest },
  }))
  return bytesReply(200, manifestHeaders(found, reference), found.bytes)
}

/** Parses the reference. A text that cannot be a tag is not an invalid request: the manifest is just not found. */
function findableReference({ repository, argument }: RepositoryRequest): Reference {
  if (argument.includes(':')) return { kind: 'digest', digest: parseDigest(argument) }
  if (isTagName(argument)) return { kind: 'tag', tag: argument }
  throw new RequestRefusedError('MANIFEST_UNKNOWN', {
    message: `manifest unknown: repository ${repository} has no tag ${quote(argument)}, which is not a valid tag`,
    detail: { repository, reference: argument.slice(0, 128).toWellFormed() },
  })
}

function manifestHeaders({ digest, mediaType }: ManifestInfo, reference: Reference): HeaderList {
  return ['Content-Type', mediaType, ...validators(digest, reference)]
}

function notModified({ digest }: ManifestInfo, reference: Reference): Reply {
  return bodilessReply(304, validators(digest, reference))
}

/** Content under a digest never changes; a tag can move, so clients must ask again each time. */
function validators(digest: string, { kind }: Reference): HeaderList {
  const caching = kind === 'digest' ? 'private, max-age=31536000, immutable' : 'private, no-cache'
  return ['Docker-Content-Digest', digest, 'ETag', formatEntityTag(digest), 'Cache-Control', caching]
}

export async function putManifest(request: RepositoryRequest, deps: HandlerDeps): Promise<Reply> {
  const { repository, headers } = request
  const reference = parseReference(request.argument)
  const tags = parseTags(request, reference, deps.limits.tagsPerPut)
  const condition = parseTagCondition(headers)
  const stored = await deps.registry.manifests.put({
    repository,
    reference,
    tags,
    bytes: await readBody(request, deps.limits.manifestBytes),
    contentType: headers['content-type'],
    condition,
    caller: request.caller,
  })
  logPush(request, stored, deps)
  const { digest, subject } = stored
  const reply = ['Location', manifestLocation(repository, digest), 'Docker-Content-Digest', digest]
  if (subject !== undefined) reply.push('OCI-Subject', subject)
  if (tags.length > 0) reply.push('OCI-Tag', stored.tags.join(', '))
  return emptyReply(201, reply)
}

/** Logs a push. Children of an index are pushed by digest alone, before their index, and are logged at debug. */
function logPush(request: RepositoryRequest, stored: PutManifestResult, { log }: HandlerDeps): void {
  const { id: requestId, repository, principal, origin } = request
  const { digest, subject, tags, size } = stored
  const level = tags.length > 0 || subject !== undefined ? 'info' : 'debug'
  if (!log.isLevelEnabled(level)) return
  const tag = tags.length > 0 ? tags.join(',') : undefined
  const caller = { user: nameOf(principal), address: origin.address }
  log[level]({ requestId, repository, tag, digest, size, ...caller }, 'image pushed')
}

/**
 * Reads the body into memory that is reserved for it, so that slow clients cannot together use more memory than
 * allowed.
 */
async function readBody(request: RepositoryRequest, maxBytes: number): Promise<Uint8Array> {
  const { contentLength = maxBytes, hasBody } = request
  // A body that announces more is refused before a byte of it is read.
  if (hasBody && contentLength <= maxBytes) await request.reserveBody(contentLength)
  return readWhole(request.body, request.contentLength)
}

/** Parses `?tag=` (distribution-spec end-7b), which is allowed only with a digest; a repeated tag counts once. */
function parseTags({ query }: RepositoryRequest, reference: Reference, max: number): readonly TagName[] {
  const names = new Set(query.getAll('tag'))
  if (names.size === 0) return []
  if (reference.kind === 'tag') {
    throw new RequestRefusedError('TAG_INVALID', {
      message: `?tag= is allowed only in a push by digest, and this one is by tag ${reference.tag}: push by digest, or omit ?tag=`,
      detail: { tag: reference.tag },
    })
  }
  if (names.size > max) throw new TooManyTagsError(names.size, max)
  return [...names].map((name) => parseTagName(name))
}

export async function deleteManifest(request: RepositoryRequest, deps: HandlerDeps): Promise<Reply> {
  const { repository, caller, headers } = request
  const reference = findableReference(request)
  const condition = parseTagCondition(headers)
  await deps.registry.manifests.delete({ repository, reference, condition, caller })
  return emptyReply(202, [])
}
