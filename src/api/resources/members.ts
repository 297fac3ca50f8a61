/** Members of organizations and teams. Membership alone gives no rights; grants do. */
import { z } from '../zod.ts'
import type { Member, Team } from '../../organizations/members.ts'
import { notFound } from '../errors/api-error.ts'
import { defineEndpoint } from '../endpoint.ts'
import { pageOf, pageQuery, readPage } from '../input/pages.ts'
import { formatTime, ownerName, rowId, text, time } from '../schemas.ts'
import type { ApiServices } from '../services.ts'

const member = z.object({ name: z.string(), since: time }).openapi('Member')
const team = z.object({ name: ownerName, createdAt: time }).openapi('Team')

const ownerParams = z.strictObject({ owner: ownerName })
const memberParams = z.strictObject({ owner: ownerName, user: ownerName })
const teamParams = z.strictObject({ owner: ownerName, team: ownerName })
const placeParams = teamParams.extend({ user: ownerName })
/** Members are listed in the order of their account ids. */
const memberQuery = pageQuery.extend({ after: rowId.optional() })
const access = 'owner:administer'
const teams = '/owners/{owner}/teams'
const tag = 'teams'

function formatTeam({ name, createdAt }: Team): z.input<typeof team> {
  return { name, createdAt: formatTime(createdAt) }
}

async function getTeam(
  params: z.output<typeof teamParams>,
  { teams: service }: ApiServices,
): Promise<z.input<typeof team>> {
  const { owner: organization, team: name } = params
  const found = await service.find({ organization, team: name })
  if (found === undefined) throw notFound(`team ${organization}/${name}`)
  return formatTeam(found)
}

type ReadMembers = (page: { limit: number; after: number | undefined }) => Promise<readonly Member[]>

async function readMembers({ limit, after }: z.output<typeof memberQuery>, read: ReadMembers) {
  const page = await readPage(
    { limit, after: after?.toString() },
    (asked) =>
      read({ limit: asked.limit, after: asked.after === undefined ? undefined : Number(asked.after) }),
    ({ accountId }) => String(accountId),
  )
  const items = page.value.items.map(({ name, since }) => ({ name, since: formatTime(since) }))
  return { ...page, value: { items } }
}

const memberRows = [
  defineEndpoint({
    id: 'listMembers',
    method: 'GET',
    path: '/owners/{owner}/members',
    tag,
    summary: 'Lists the members of an organization.',
    access,
    status: 200,
    problems: [404],
    params: ownerParams,
    query: memberQuery,
    result: pageOf(member),
    handler: ({ params, query }, { members }) =>
      readMembers(query, (page) => members.list(params.owner, page)),
  }),
  defineEndpoint({
    id: 'addMember',
    method: 'PUT',
    path: '/owners/{owner}/members/{user}',
    tag,
    summary:
      'Makes a user a member of an organization. With `role`, also grants that role on all its repositories.',
    access,
    gives: 'access',
    status: 204,
    problems: [404, 409],
    params: memberParams,
    account: 'params.user',
    body: z.strictObject({ role: text(64).min(1).optional() }),
    handler: async ({ params: { owner: organization, user }, body: { role }, actor }, { members }) => {
      await members.add({ organization, user, role }, actor)
      return {}
    },
  }),
  defineEndpoint({
    id: 'removeMember',
    method: 'DELETE',
    path: '/owners/{owner}/members/{user}',
    tag,
    summary:
      'Removes a member from an organization and its teams, and deletes the grants to the member there.',
    access,
    status: 204,
    problems: [404],
    params: memberParams,
    handler: async ({ params: { owner: organization, user }, actor }, { members }) => {
      await members.remove({ organization, user }, actor)
      return {}
    },
  }),
]

const teamRows = [
  defineEndpoint({
    id: 'listTeams',
    method: 'GET',
    path: teams,
    tag,
    summary: 'Lists the teams of an organization, sorted by name.',
    access,
    status: 200,
    problems: [404],
    params: ownerParams,
    query: pageQuery,
    result: pageOf(team),
    handler: async ({ params, query }, services) => {
      const page = await readPage(
        query,
        (asked) => services.teams.list(params.owner, asked),
        ({ name }) => name,
      )
      return { ...page, value: { items: page.value.items.map(formatTeam) } }
    },
  }),
  defineEndpoint({
    id: 'createTeam',
    method: 'POST',
    path: teams,
    tag,
    summary: 'Creates a team.',
    access,
    gives: 'access',
    status: 201,
    problems: [404, 409],
    params: ownerParams,
    body: z.strictObject({ name: ownerName }),
    result: team,
    handler: async ({ params: { owner: organization }, body, actor }, services) => {
      const made = await services.teams.create({ organization, team: body.name }, actor)
      return { value: formatTeam(made), location: `/owners/${organization}/teams/${made.name}` }
    },
  }),
  defineEndpoint({
    id: 'getTeam',
    method: 'GET',
    path: `${teams}/{team}`,
    tag,
    summary: 'Returns a team.',
    access,
    status: 200,
    problems: [404],
    tagged: true,
    params: teamParams,
    result: team,
    handler: async ({ params }, services) => ({ value: await getTeam(params, services) }),
  }),
  defineEndpoint({
    id: 'deleteTeam',
    method: 'DELETE',
    path: `${teams}/{team}`,
    tag,
    summary: 'Deletes a team and its grants.',
    access,
    status: 204,
    problems: [404],
    params: teamParams,
    current: ({ params }, services) => getTeam(params, services),
    handler: async ({ params: { owner: organization, team: name }, actor }, services) => {
      await services.teams.delete({ organization, team: name }, actor)
      return {}
    },
  }),
  defineEndpoint({
    id: 'listTeamMembers',
    method: 'GET',
    path: `${teams}/{team}/members`,
    tag,
    summary: 'Lists the members of a team.',
    access,
    status: 200,
    problems: [404],
    params: teamParams,
    query: memberQuery,
    result: pageOf(member),
    handler: ({ params: { owner: organization, team: name }, query }, services) =>
      readMembers(query, (page) => services.teams.listMembers({ organization, team: name }, page)),
  }),
  defineEndpoint({
    id: 'addTeamMember',
    method: 'PUT',
    path: `${teams}/{team}/members/{user}`,
    tag,
    summary: 'Adds a member of the organization to a team.',
    access,
    gives: 'access',
    status: 204,
    problems: [404],
    params: placeParams,
    handler: async ({ params: { owner: organization, team: name, user }, actor }, services) => {
      await services.teams.addMember({ organization, team: name }, user, actor)
      return {}
    },
  }),
  defineEndpoint({
    id: 'removeTeamMember',
    method: 'DELETE',
    path: `${teams}/{team}/members/{user}`,
    tag,
    summary: 'Removes a member from a team.',
    access,
    status: 204,
    problems: [404],
    params: placeParams,
    handler: async ({ params: { owner: organization, team: name, user }, actor }, services) => {
      await services.teams.removeMember({ organization, team: name }, user, actor)
      return {}
    },
  }),
]

export const memberEndpoints = [...memberRows, ...teamRows]
