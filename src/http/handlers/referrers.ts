import { parseDigest } from '../../oci/digest.ts'
import { mediaTypes } from '../../oci/media-type.ts'
import { formatNextLink } from '../headers/link.ts'
import type { LinkParameters } from '../headers/link.ts'
import { maxReferrersPage, maxReferrersReplyBytes } from '../limits.ts'
import { parseArtifactTypes, parseCursor, parsePageSize } from '../requests/query.ts'
import { bytesReply } from '../replies/reply.ts'
import type { Reply } from '../replies/reply.ts'
import type { RepositoryRequest } from '../requests/request.ts'
import type { HandlerDeps } from './handler-deps.ts'

/**
 * Answers distribution-spec end-12a, end-12b. The descriptors are JSON texts, ready to serve. Each link starts after
 * the referrers that its page has examined, so that following the links ends. HEAD reads no descriptors.
 */
export async function listReferrers(request: RepositoryRequest, deps: HandlerDeps): Promise<Reply> {
  const { repository, path, query, method } = request
  const subject = parseDigest(request.argument)
  const artifactTypes = parseArtifactTypes(query)
  const limit = Math.max(1, parsePageSize(query, { fallback: maxReferrersPage, max: maxReferrersPage }))
  const cursor = parseCursor(query)
  const withDescriptors = method !== 'HEAD'
  const { asker } = request
  if (withDescriptors) await request.reserve(maxReferrersReplyBytes)
  const asked = { artifactTypes, cursor, limit, withDescriptors, asker }
  const page = await deps.registry.referrers.list(repository, subject, asked)
  const headers = ['Content-Type', mediaTypes.ociIndex]
  if (artifactTypes.length > 0) headers.push('OCI-Filters-Applied', 'artifactType')
  if (page.next !== undefined) {
    const parameters: LinkParameters = [
      ...artifactTypes.map((type) => ['artifactType', type] as const),
      ['n', String(limit)],
      ['cursor', String(page.next)],
    ]
    headers.push('Link', formatNextLink(path, parameters))
  }
  if (!withDescriptors) return { status: 200, headers, length: lengthOf(page.sizes) }
  return bytesReply(200, headers, Buffer.from(`${start}${page.descriptors.join(',')}${end}`))
}

const start = `{"schemaVersion":2,"mediaType":"${mediaTypes.ociIndex}","manifests":[`
const end = ']}'

/** Returns the length of the index with descriptors of these sizes. */
function lengthOf(sizes: readonly number[]): number {
  const commas = Math.max(0, sizes.length - 1)
  return start.length + sizes.reduce((sum, size) => sum + size, commas) + end.length
}
