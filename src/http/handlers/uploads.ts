/** Upload sessions (distribution-spec end-4, end-5, end-6, end-11, end-13, end-14). */
import type { Principal } from '../../identity/principal.ts'
import { underNewName } from '../../access/former-names/judge-former-name.ts'
import { parseDigestAlgorithm, parseSupportedDigest } from '../../oci/digest.ts'
import type { Digest } from '../../oci/digest.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import { UploadUnknownError } from '../../registry/errors.ts'
import type { BodyRequest, UploadStatus } from '../../registry/uploads/upload-types.ts'
import { findMountSource } from '../replies/challenges.ts'
import { UnauthorizedError } from '../../edge/errors.ts'
import { RequestRefusedError } from '../errors.ts'
import { formatReceivedRange, parseContentRange } from '../headers/content-range.ts'
import { blobLocation, uploadLocation } from '../replies/locations.ts'
import { bodilessReply, emptyReply } from '../replies/reply.ts'
import type { HeaderList, Reply } from '../replies/reply.ts'
import type { RepositoryRequest } from '../requests/request.ts'
import type { HandlerDeps } from './handler-deps.ts'

export async function postUpload(request: RepositoryRequest, deps: HandlerDeps): Promise<Reply> {
  const { query, repository, caller } = request
  const mount = query.get('mount')
  if (mount !== null) {
    const digest = parseSupportedDigest(mount)
    if (await mountBlob(request, deps, digest)) return blobCreated(repository, digest)
  }
  const digest = query.get('digest')
  if (digest !== null && mount === null) return pushBlob(request, deps, parseSupportedDigest(digest))
  const text = query.get('digest-algorithm')
  const algorithm = text === null ? undefined : parseDigestAlgorithm(text)
  const session = await deps.registry.uploads.start({ repository, caller, algorithm })
  return emptyReply(202, sessionHeaders(repository, session))
}

/**
 * Mounts a blob if the request has no `from`, or if the caller may pull from that repository. A source that is
 * forbidden, missing or not a valid name gets the same answer: an upload starts. A token that was not requested for
 * pulling from the source is rejected, so that the client requests another.
 */
async function mountBlob(request: RepositoryRequest, deps: HandlerDeps, digest: Digest): Promise<boolean> {
  const { query, repository, caller, principal } = request
  if ((query.get('from') ?? '') === '') return deps.registry.blobs.mount({ repository, digest, caller })
  const from = findMountSource(query)
  if (from === undefined) return false
  checkTokenCovers(principal, from)
  const newName = await deps.formerNames.resolve(from)
  const source = newName ?? from
  const puller = newName === undefined ? principal : underNewName(principal, { formerName: from, newName })
  const { allowed } = await deps.policy.decide(puller, 'pull', source)
  const mount = { repository, digest, from: source, caller: { ...caller, principal: puller } }
  return allowed && deps.registry.blobs.mount(mount)
}

/**
 * Throws if the token was not requested for pulling from the source. A scope without actions was requested and not
 * granted, so another token would be the same.
 */
function checkTokenCovers({ scopes }: Principal, from: RepositoryName): void {
  if (scopes === undefined) return
  const scope = scopes.find(({ type, name }) => type === 'repository' && name === from)
  if (scope !== undefined && (scope.actions.length === 0 || scope.actions.includes('pull'))) return
  throw new UnauthorizedError(
    `the token does not cover pulls from ${from}: request one that does`,
    'insufficient_scope',
  )
}

/** Pushes the whole blob in one request (end-4b). */
async function pushBlob(request: RepositoryRequest, deps: HandlerDeps, digest: Digest): Promise<Reply> {
  const { repository, caller, body, signal } = request
  const length = request.hasBody ? request.contentLength : 0
  await deps.registry.uploads.push({ repository, caller, digest, body, length, signal })
  return blobCreated(repository, digest)
}

export async function patchUpload(request: RepositoryRequest, deps: HandlerDeps): Promise<Reply> {
  const session = parseSession(request)
  const { body, signal } = request
  const chunk = parseChunk(request)
  const status = await deps.registry.uploads.append({ ...session, ...chunk, body, signal })
  return emptyReply(202, sessionHeaders(request.repository, status))
}

/** Closes a session. A missing or malformed digest leaves it open; a digest that does not match ends it. */
export async function putUpload(request: RepositoryRequest, deps: HandlerDeps): Promise<Reply> {
  const session = parseSession(request)
  const { repository, query, signal } = request
  const text = query.get('digest')
  if (text === null) {
    throw new RequestRefusedError('DIGEST_INVALID', {
      message:
        'the closing PUT names no digest: add ?digest=<algorithm>:<encoded>; the upload session is still open',
    })
  }
  const digest = parseSupportedDigest(text)
  const chunk = parseChunk(request)
  const body = request.hasBody ? request.body : undefined
  await deps.registry.uploads.commit({ ...session, ...chunk, digest, signal, ...(body && { body }) })
  return blobCreated(repository, digest)
}

export async function getUpload(request: RepositoryRequest, deps: HandlerDeps): Promise<Reply> {
  const status = await deps.registry.uploads.status(parseSession(request))
  return bodilessReply(204, sessionHeaders(request.repository, status))
}

export async function deleteUpload(request: RepositoryRequest, deps: HandlerDeps): Promise<Reply> {
  const session = parseSession(request)
  await deps.registry.uploads.cancel(session)
  return bodilessReply(204, ['Docker-Upload-UUID', session.id])
}

function parseSession(
  request: RepositoryRequest,
): Pick<RepositoryRequest, 'repository' | 'caller'> & { id: string } {
  const { repository, caller, argument: id } = request
  if (!/^[\w-]{1,128}$/.test(id)) throw new UploadUnknownError(repository, id.slice(0, 128))
  return { repository, caller, id }
}

type Chunk = Pick<BodyRequest, 'start' | 'length' | 'contentLength'>

/** Returns the position and length of the body, if the headers give them. */
function parseChunk({ headers, hasBody, contentLength }: RepositoryRequest): Chunk {
  const text = headers['content-range']
  if (text === undefined) return { length: contentLength }
  const { start, end } = parseContentRange(text)
  return { start, length: end - start + 1, contentLength: hasBody ? contentLength : 0 }
}

function sessionHeaders(repository: RepositoryName, { id, offset }: UploadStatus): HeaderList {
  return [
    'Location',
    uploadLocation(repository, id),
    'Range',
    formatReceivedRange(offset),
    'Docker-Upload-UUID',
    id,
  ]
}

function blobCreated(repository: RepositoryName, digest: Digest): Reply {
  return emptyReply(201, ['Location', blobLocation(repository, digest), 'Docker-Content-Digest', digest])
}
