/** Roles and grants. The path of a grant starts with its owner, so that no path of another owner reaches it. */
import { z } from '../zod.ts'
import { formatPatternBelow } from '../../access/patterns/repository-pattern.ts'
import type { Grant } from '../../access/grants/grants.ts'
import { notFound } from '../errors/api-error.ts'
import { defineEndpoint } from '../endpoint.ts'
import { pageOf, pageQuery, readPage } from '../input/pages.ts'
import { formatTime, ownerName, patternBelowOwner, rowId, text, time } from '../schemas.ts'
import type { ApiServices } from '../services.ts'
import { action } from './access-token-shapes.ts'

const roleName = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'use lower-case letters, digits and single dashes')

const role = z.object({ name: roleName, actions: z.array(action), isBuiltIn: z.boolean() }).openapi('Role')

const grant = z
  .object({
    id: z.int(),
    owner: z.string(),
    repositories: z
      .string()
      .meta({ description: 'A pattern relative to the owner, in the syntax of a new grant.' }),
    role: z.string(),
    actions: z.array(z.string()),
    to: z
      .string()
      .meta({ description: 'The grantee: a user, a robot such as `acme+ci`, or a team such as `acme/dev`.' }),
    kind: z.enum(['user', 'robot', 'team']),
    createdAt: time,
    createdBy: z.string(),
  })
  .openapi('Grant')

const roleParams = z.strictObject({ role: roleName })
const ownerParams = z.strictObject({ owner: ownerName })
const grantParams = z.strictObject({ owner: ownerName, grant: rowId })
const tag = 'rights'

/** Throws `NotVisibleError` also for a grant of another owner: ids are unique across owners. */
async function getGrant(
  { owner, grant: id }: z.output<typeof grantParams>,
  { grants }: ApiServices,
): Promise<Grant> {
  const found = await grants.find(id)
  if (found?.owner !== owner) throw notFound(`grant ${id}`)
  return found
}

function formatGrant({
  id,
  owner,
  pattern,
  role,
  actions,
  to,
  createdAt,
  createdBy,
}: Grant): z.input<typeof grant> {
  return {
    id,
    owner,
    repositories: formatPatternBelow(owner, pattern),
    role,
    actions: [...actions],
    to: to.name,
    kind: to.kind,
    createdAt: formatTime(createdAt),
    createdBy,
  }
}

async function getRole(name: string, { roles }: ApiServices): Promise<z.input<typeof role>> {
  const found = await roles.find(name)
  if (found === undefined) throw notFound(`role ${name}`)
  return { ...found, actions: [...found.actions] }
}

const roleEndpoints = [
  defineEndpoint({
    id: 'listRoles',
    method: 'GET',
    path: '/roles',
    tag,
    summary: 'Lists the roles, sorted by name.',
    access: 'user',
    status: 200,
    query: pageQuery,
    result: pageOf(role),
    handler: async ({ query }, { roles }) => {
      const page = await readPage(
        query,
        (asked) => roles.list(asked),
        ({ name }) => name,
      )
      return {
        ...page,
        value: { items: page.value.items.map((one) => ({ ...one, actions: [...one.actions] })) },
      }
    },
  }),
  defineEndpoint({
    id: 'createRole',
    method: 'POST',
    path: '/roles',
    tag,
    summary: 'Creates a role, which is a named set of actions.',
    access: 'administrator',
    gives: 'access',
    status: 201,
    problems: [409],
    body: z.strictObject({ name: roleName, actions: z.array(action).min(1).max(10) }),
    result: role,
    handler: async ({ body, actor }, services) => {
      await services.roles.add(body, actor)
      return { value: await getRole(body.name, services), location: `/roles/${body.name}` }
    },
  }),
  defineEndpoint({
    id: 'getRole',
    method: 'GET',
    path: '/roles/{role}',
    tag,
    summary: 'Returns a role.',
    access: 'user',
    status: 200,
    problems: [404],
    tagged: true,
    params: roleParams,
    result: role,
    handler: async ({ params }, services) => ({ value: await getRole(params.role, services) }),
  }),
  defineEndpoint({
    id: 'deleteRole',
    method: 'DELETE',
    path: '/roles/{role}',
    tag,
    summary: 'Deletes a role that no grant uses.',
    access: 'administrator',
    status: 204,
    problems: [404, 409],
    params: roleParams,
    current: ({ params }, services) => getRole(params.role, services),
    handler: async ({ params, actor }, { roles }) => {
      await roles.remove(params.role, actor)
      return {}
    },
  }),
]

const grantEndpoints = [
  defineEndpoint({
    id: 'listGrants',
    method: 'GET',
    path: '/owners/{owner}/grants',
    tag,
    summary: 'Lists the grants on the repositories of an owner, oldest first.',
    access: 'owner:administer',
    status: 200,
    problems: [404],
    params: ownerParams,
    account: 'query.to',
    query: pageQuery.extend({
      after: rowId.optional(),
      to: text(255).min(1).optional().openapi({ description: 'Only grants to this user, robot or team.' }),
    }),
    result: pageOf(grant),
    handler: async ({ params: { owner }, query: { limit, after, to } }, { grants }) => {
      const page = await readPage(
        { limit, after: after?.toString() },
        (asked) =>
          grants.list({
            owner,
            to,
            limit: asked.limit,
            after: asked.after === undefined ? undefined : Number(asked.after),
          }),
        ({ id }) => String(id),
      )
      return { ...page, value: { items: page.value.items.map(formatGrant) } }
    },
  }),
  defineEndpoint({
    id: 'createGrant',
    method: 'POST',
    path: '/owners/{owner}/grants',
    tag,
    summary: 'Grants a role on some or all repositories of an owner. Repeating a grant has no effect.',
    access: 'owner:administer',
    gives: 'access',
    status: 201,
    problems: [404, 409],
    params: ownerParams,
    body: z.strictObject({
      repositories: patternBelowOwner,
      role: roleName,
      to: text(255).min(1).openapi({ example: 'acme+ci' }),
    }),
    result: grant,
    account: 'body.to',
    handler: async ({ params: { owner }, body, actor }, { grants }) => {
      const made = await grants.add({ owner, ...body }, actor)
      return { value: formatGrant(made), location: `/owners/${owner}/grants/${made.id}` }
    },
  }),
  defineEndpoint({
    id: 'getGrant',
    method: 'GET',
    path: '/owners/{owner}/grants/{grant}',
    tag,
    summary: 'Returns a grant.',
    access: 'owner:administer',
    status: 200,
    problems: [404],
    tagged: true,
    params: grantParams,
    result: grant,
    handler: async ({ params }, services) => ({ value: formatGrant(await getGrant(params, services)) }),
  }),
  defineEndpoint({
    id: 'deleteGrant',
    method: 'DELETE',
    path: '/owners/{owner}/grants/{grant}',
    tag,
    summary: 'Revokes a grant, effective from the next request.',
    access: 'owner:administer',
    status: 204,
    problems: [404],
    params: grantParams,
    current: async ({ params }, services) => formatGrant(await getGrant(params, services)),
    handler: async ({ params, actor }, services) => {
      await getGrant(params, services)
      await services.grants.remove(params.grant, actor)
      return {}
    },
  }),
]

export const rightsEndpoints = [...roleEndpoints, ...grantEndpoints]
