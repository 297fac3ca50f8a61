/** Explains why an account may or may not do something, and lists who may. Only callers who can grant these rights may ask. */
import { z } from '../zod.ts'
import { defineEndpoint } from '../endpoint.ts'
import { pageOf, pageQuery } from '../input/pages.ts'
import { ownerName, patternBelowOwner, repositoryName, rowId, text } from '../schemas.ts'
import { action } from './access-token-shapes.ts'

const explanation = z
  .object({
    allowed: z.boolean(),
    text: z.string().meta({
      example: 'allowed because grant 12 gives writer on acme/web/** to team acme/dev',
    }),
    grant: z.int().optional().meta({ description: 'The id of a grant that is sufficient by itself.' }),
    remedy: z.object({ role: z.string(), on: z.string() }).optional().meta({
      description: 'The weakest built-in role that would allow it, and the repository to grant it on.',
    }),
  })
  .openapi('Explanation')

const holder = z
  .object({
    kind: z.enum(['anyone', 'users', 'administrators', 'user', 'robot']).meta({
      description:
        '`administrators` are the administrators of the registry, whose names only administrators see.',
    }),
    name: z.string(),
    because: z.string(),
    grant: z.int().optional(),
  })
  .openapi('Holder')

export const accessEndpoints = [
  defineEndpoint({
    id: 'explainAccess',
    method: 'GET',
    path: '/access/explain/{repository}',
    tag: 'rights',
    summary:
      'Explains why an account, or `anonymous`, may or may not do something in a repository. The answer ignores whether the account is disabled or an administrator if the caller may not know that.',
    access: 'repository:administer',
    status: 200,
    problems: [404],
    params: z.strictObject({ repository: repositoryName }),
    account: 'query.principal',
    query: z.strictObject({
      principal: text(255).min(1),
      action,
      token: rowId.optional().openapi({
        description:
          'The id of an access token of the account: explains a request with this token. If the caller may not know the tokens of the account, the reply is 404.',
      }),
    }),
    result: explanation,
    handler: async ({ params: { repository }, query, principal: asker }, { access }) => {
      const { principal, token } = query
      const asked = { principal, token, repository, action: query.action, asker }
      const { allowed, text, remedy, grantId } = await access.explain(asked)
      return { value: { allowed, text, remedy, grant: grantId } }
    },
  }),
  defineEndpoint({
    id: 'whoCan',
    method: 'GET',
    path: '/access/who-can/{owner}',
    tag: 'rights',
    summary: 'Lists everyone who may do something in some repositories of an owner, with the reason.',
    access: 'owner:administer',
    status: 200,
    problems: [404],
    params: z.strictObject({ owner: ownerName }),
    query: pageQuery.extend({
      action,
      repositories: patternBelowOwner,
    }),
    result: pageOf(holder),
    handler: async ({ params: { owner }, query, principal: asker, http: { signal } }, { access }) => {
      const asked = { ...query, owner, asker, signal }
      const page = await access.whoCan(asked)
      const items = page.holders.map(({ grantId, ...one }) => ({ ...one, grant: grantId }))
      return { value: { items }, after: page.after }
    },
  }),
]
