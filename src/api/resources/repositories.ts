/**
 * Repositories and their settings. A repository name is one component of a path, with its slashes written `%2F`. It is parsed
 * and checked as a whole, and later components cannot become part of it.
 */
import { z } from '../zod.ts'
import { parseRepositoryName } from '../../oci/repository-name.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import { deletionOff, notFound } from '../errors/api-error.ts'
import { defineEndpoint } from '../endpoint.ts'
import { pageOf, pageQuery } from '../input/pages.ts'
import { ownerName, repositoryName, visibility } from '../schemas.ts'
import type { ApiServices } from '../services.ts'

const repository = z
  .object({
    name: z.string(),
    owner: z.string(),
    visibility,
    ownerVisibility: visibility.meta({
      description: 'The visibility of the owner. The stricter of the two applies.',
    }),
  })
  .openapi('Repository')

type Repository = z.input<typeof repository>

const params = z.strictObject({ repository: repositoryName })
const tag = 'repositories'

async function findRepository(
  name: RepositoryName,
  { repositories }: ApiServices,
): Promise<Repository | undefined> {
  const found = await repositories.find(name)
  if (found === undefined) return undefined
  const { visibility, ownerVisibility, ownerName: owner } = found
  return { name, owner, visibility, ownerVisibility }
}

async function getRepository(text: string, services: ApiServices): Promise<Repository> {
  const found = await findRepository(parseRepositoryName(text), services)
  if (found === undefined) throw notFound(`repository ${text}`)
  return found
}

export const repositoryEndpoints = [
  defineEndpoint({
    id: 'listRepositories',
    method: 'GET',
    path: '/repositories',
    tag,
    summary: 'Lists the repositories that the caller may pull, sorted by name.',
    access: 'user',
    status: 200,
    query: pageQuery.extend({ owner: ownerName.optional() }),
    result: pageOf(repository),
    handler: async ({ query: { limit, after, owner }, principal, http }, services) => {
      const push = { create: false, update: false }
      const caller = { principal, push, origin: http.origin }
      const { signal } = http
      const asked = { n: limit, last: after, owner, caller, signal }
      const { repositories: names, next } = await services.catalog.list(asked)
      const found = await Promise.all(names.map((name) => findRepository(name, services)))
      return { value: { items: found.filter((one) => one !== undefined) }, after: next }
    },
  }),
  defineEndpoint({
    id: 'getRepository',
    method: 'GET',
    path: '/repositories/{repository}',
    tag,
    summary: 'Returns a repository. Needs no login if anonymous callers may pull it.',
    access: 'repository:pull',
    status: 200,
    problems: [404],
    tagged: true,
    params,
    result: repository,
    handler: async ({ params }, services) => ({ value: await getRepository(params.repository, services) }),
  }),
  defineEndpoint({
    id: 'changeRepository',
    method: 'PATCH',
    path: '/repositories/{repository}',
    tag,
    summary: 'Changes the visibility of a repository.',
    access: 'repository:manage',
    status: 200,
    problems: [404],
    params,
    body: z.strictObject({ visibility }),
    result: repository,
    current: ({ params }, services) => getRepository(params.repository, services),
    handler: async ({ params, body, actor }, services) => {
      const name = parseRepositoryName(params.repository)
      await services.repositories.setVisibility(name, body.visibility, actor)
      return { value: await getRepository(name, services) }
    },
  }),
  defineEndpoint({
    id: 'deleteRepository',
    method: 'DELETE',
    path: '/repositories/{repository}',
    tag,
    summary: 'Deletes a repository and everything in it.',
    access: 'repository:delete',
    status: 204,
    problems: [404],
    params,
    current: ({ params }, services) => getRepository(params.repository, services),
    handler: async ({ params, actor }, services) => {
      if (!services.deleteEnabled) throw deletionOff()
      await services.repositories.delete(parseRepositoryName(params.repository), actor)
      return {}
    },
  }),
]
