import { formatNextLink } from '../headers/link.ts'
import { maxTagEntryBytes, maxTagsPage } from '../limits.ts'
import { parsePageSize } from '../requests/query.ts'
import { headReply, jsonReply, jsonType } from '../replies/reply.ts'
import type { Reply } from '../replies/reply.ts'
import type { RepositoryRequest } from '../requests/request.ts'
import type { HandlerDeps } from './handler-deps.ts'

/** Answers distribution-spec end-8a, end-8b. */
export async function listTags(request: RepositoryRequest, deps: HandlerDeps): Promise<Reply> {
  const { repository, path, query, method } = request
  const n = parsePageSize(query, { fallback: maxTagsPage, max: maxTagsPage })
  const last = query.get('last') ?? undefined
  if (method === 'HEAD') {
    // Throws if the repository does not exist. The page, its length and its link are not read.
    await deps.registry.tags.list(repository, { last, n: 0 })
    return headReply(['Content-Type', jsonType])
  }
  await request.reserve(n * maxTagEntryBytes)
  const { tags, more } = await deps.registry.tags.list(repository, { last, n, asker: request.asker })
  const end = tags.at(-1)
  const headers =
    more && end !== undefined
      ? [
          'Link',
          formatNextLink(path, [
            ['n', String(n)],
            ['last', end],
          ]),
        ]
      : []
  return jsonReply(200, { name: repository, tags }, headers)
}
