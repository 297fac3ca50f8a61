import { formatNextLink } from '../headers/link.ts'
import { defaultCatalogPage, maxCatalogPage, maxRepositoryEntryBytes } from '../limits.ts'
import { parsePageSize } from '../requests/query.ts'
import { headReply, jsonReply, jsonType } from '../replies/reply.ts'
import type { Reply } from '../replies/reply.ts'
import type { RegistryRequest } from '../requests/request.ts'
import type { HandlerDeps } from './handler-deps.ts'

/** Answers `_catalog`, which is not in the distribution-spec but which clients use. */
export async function listCatalog(request: RegistryRequest, deps: HandlerDeps): Promise<Reply> {
  const { query, caller, method, asker } = request
  const n = parsePageSize(query, { fallback: defaultCatalogPage, max: maxCatalogPage })
  const last = query.get('last') ?? undefined
  if (method === 'HEAD') return headReply(['Content-Type', jsonType])
  await request.reserve(n * maxRepositoryEntryBytes)
  const { repositories, next } = await deps.registry.catalog.list({ last, n, caller, ...asker })
  const headers =
    next !== undefined
      ? [
          'Link',
          formatNextLink('/v2/_catalog', [
            ['n', String(n)],
            ['last', next],
          ]),
        ]
      : []
  return jsonReply(200, { repositories }, headers)
}
