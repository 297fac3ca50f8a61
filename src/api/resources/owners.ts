/** Owners, which are users and organizations: what everyone sees of them, and changes by their administrators. */
import { z } from '../zod.ts'
import { partyOf } from '../../access/party.ts'
import type { Principal } from '../../identity/principal.ts'
import { Turns } from '../../lib/turns/turns.ts'
import type { Owner } from '../../organizations/owners.ts'
import type { ApiRequest } from '../api-request.ts'
import { notFound } from '../errors/api-error.ts'
import { seesOwner } from '../../edge/decide.ts'
import { defineEndpoint } from '../endpoint.ts'
import { pageOf, pageQuery } from '../input/pages.ts'
import type { Page } from '../input/pages.ts'
import { checkPurge, purge } from '../input/purge.ts'
import { formatTime, ownerName, time, visibility } from '../schemas.ts'
import type { ApiServices } from '../services.ts'

const kind = z.enum(['user', 'organization'])

const owner = z
  .object({
    name: ownerName,
    kind,
    visibility: visibility.meta({ description: 'The widest visibility that its repositories can have.' }),
    createdAt: time,
  })
  .openapi('Owner')

const ownerDetails = owner
  .extend({
    formerNames: z.array(z.string()).meta({ description: 'Former names, which still serve pulls.' }),
  })
  .openapi('OwnerDetails')

const params = z.strictObject({ owner: ownerName })
const tag = 'owners'

function formatOwner({ name, kind, visibility, createdAt }: Owner): z.input<typeof owner> {
  return { name, kind, visibility, createdAt: formatTime(createdAt) }
}

async function getOwner(name: string, { owners }: ApiServices): Promise<z.input<typeof ownerDetails>> {
  const found = await owners.find(name)
  if (found === undefined) throw notFound(`owner ${name}`)
  return { ...formatOwner(found), formerNames: [...found.formerNames] }
}

/** The fewest owners read at once: if most are hidden, smaller batches would take many queries. */
const minBatchSize = 100

/** Reads until the page is full. Hidden owners show neither in the page nor in the link to the next one. */
async function readVisible(
  { limit, ...page }: Page & { readonly kind?: Owner['kind'] | undefined },
  { owners, policy }: ApiServices,
  {
    principal,
    http,
  }: { readonly principal: Principal; readonly http: Pick<ApiRequest, 'origin' | 'signal'> },
): Promise<{ value: { items: z.input<typeof owner>[] }; after?: string | undefined }> {
  const items: z.input<typeof owner>[] = []
  const batchSize = Math.max(limit + 1, minBatchSize)
  const seen = await policy.ownersSeenBy(principal)
  const turns = new Turns({ signal: http.signal, party: partyOf(principal, http.origin.address) })
  let { after } = page
  let batch: Owner[]
  do {
    batch = await owners.list({ kind: page.kind, after, limit: batchSize, seen })
    for (const one of batch) {
      await turns.pass()
      if (!(await seesOwner(principal, one, policy))) continue
      if (items.length === limit) return { value: { items }, after: items.at(-1)?.name }
      items.push(formatOwner(one))
    }
    after = batch.at(-1)?.name
  } while (batch.length === batchSize)
  return { value: { items } }
}

export const ownerEndpoints = [
  defineEndpoint({
    id: 'listOwners',
    method: 'GET',
    path: '/owners',
    tag,
    summary: 'Lists the owners that the caller may see, sorted by name.',
    access: 'user',
    status: 200,
    query: pageQuery.extend({ kind: kind.optional() }),
    result: pageOf(owner),
    handler: ({ query, principal, http }, services) => readVisible(query, services, { principal, http }),
  }),
  defineEndpoint({
    id: 'createOrganization',
    method: 'POST',
    path: '/owners',
    tag,
    summary: 'Creates an organization.',
    access: 'administrator',
    status: 201,
    problems: [409],
    body: z.strictObject({ name: ownerName, visibility: visibility.default('public') }),
    result: ownerDetails,
    handler: async ({ body, actor }, services) => {
      await services.owners.createOrganization(body, actor)
      return { value: await getOwner(body.name, services), location: `/owners/${body.name}` }
    },
  }),
  defineEndpoint({
    id: 'getOwner',
    method: 'GET',
    path: '/owners/{owner}',
    tag,
    summary: 'Returns an owner.',
    access: 'owner:see',
    status: 200,
    problems: [404],
    tagged: true,
    params,
    result: ownerDetails,
    handler: async ({ params }, services) => ({ value: await getOwner(params.owner, services) }),
  }),
  defineEndpoint({
    id: 'changeOwner',
    method: 'PATCH',
    path: '/owners/{owner}',
    tag,
    summary: 'Changes the visibility of an owner.',
    access: 'owner:administer',
    status: 200,
    problems: [404],
    params,
    body: z.strictObject({ visibility }),
    result: ownerDetails,
    current: ({ params }, services) => getOwner(params.owner, services),
    handler: async ({ params, body, actor }, services) => {
      await services.owners.setVisibility(params.owner, body.visibility, actor)
      return { value: await getOwner(params.owner, services) }
    },
  }),
  defineEndpoint({
    id: 'renameOrganization',
    method: 'POST',
    path: '/owners/{owner}/rename',
    tag,
    summary:
      'Renames an organization with all it owns. The former name still serves pulls, and no other owner can take it.',
    access: 'owner:administer',
    status: 200,
    problems: [404, 409],
    params,
    body: z.strictObject({ name: ownerName }),
    result: ownerDetails,
    handler: async ({ params, body, actor }, services) => {
      const change = { kind: 'organization', name: params.owner, newName: body.name } as const
      await services.owners.rename(change, actor)
      return { value: await getOwner(body.name, services) }
    },
  }),
  defineEndpoint({
    id: 'deleteOrganization',
    method: 'DELETE',
    path: '/owners/{owner}',
    tag,
    summary:
      'Deletes an organization with its teams, robots and grants, and with `purge` also its repositories.',
    access: 'owner:administer',
    status: 204,
    problems: [404, 409],
    params,
    query: z.strictObject({ purge }),
    current: ({ params }, services) => getOwner(params.owner, services),
    handler: async ({ params, query, actor }, services) => {
      checkPurge(query, services)
      await services.owners.delete(params.owner, { kind: 'organization', ...query }, actor)
      return {}
    },
  }),
]
