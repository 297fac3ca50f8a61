import { parseDigest } from '../../oci/digest.ts'
import { mediaTypes } from '../../oci/media-type.ts'
import { formatNextLink } from '../headers/link.ts'
import type { LinkParameters } from '../headers/link.ts'
import { maxReferrersPage, maxReferrersReplyBytes } from '../limits.ts'
import { parseArtifactTypes, parseCursor, parsePageSize } from '../query.ts'
import { bytesReply, headReply } from '../reply.ts'
import type { Reply } from '../reply.ts'
import type { RepositoryRequest } from '../request.ts'
import type { HandlerDeps } from './handler-deps.ts'

/**
 * distribution-spec end-12a, end-12b. Descriptors come as JSON texts, ready to serve. A page holds one at least, so
 * that following the links ends.
 */
export async function listReferrers(request: RepositoryRequest, deps: HandlerDeps): Promise<Reply> {
  const { repository, path, query, method } = request
  const subject = parseDigest(request.argument)
  const artifactTypes = parseArtifactTypes(query)
  const limit = Math.max(1, parsePageSize(query, { fallback: maxReferrersPage, max: maxReferrersPage }))
  const cursor = parseCursor(query)
  if (method === 'HEAD') return headReply(referrersHeaders(artifactTypes))
  await request.reserve(maxReferrersReplyBytes)
  const page = await deps.registry.referrers.list(repository, subject, { artifactTypes, cursor, limit })
  const headers = referrersHeaders(artifactTypes)
  if (page.next !== undefined) {
    const parameters: LinkParameters = [
      ...artifactTypes.map((type) => ['artifactType', type] as const),
      ['n', String(limit)],
      ['cursor', String(page.next)],
    ]
    headers.push('Link', formatNextLink(path, parameters))
  }
  const index = `{"schemaVersion":2,"mediaType":"${mediaTypes.ociIndex}","manifests":[${page.descriptors.join(',')}]}`
  return bytesReply(200, headers, Buffer.from(index))
}

function referrersHeaders(artifactTypes: readonly string[]): string[] {
  const headers: string[] = ['Content-Type', mediaTypes.ociIndex]
  if (artifactTypes.length > 0) headers.push('OCI-Filters-Applied', 'artifactType')
  return headers
}
