/** The robots of an owner and their access tokens. Paths contain the owner and the short name: `acme` and `ci` for `acme+ci`. */
import { z } from '../zod.ts'
import type { Robot } from '../../identity/accounts/robots.ts'
import { notFound } from '../errors/api-error.ts'
import { defineEndpoint } from '../endpoint.ts'
import { pageOf, pageQuery, readPage } from '../input/pages.ts'
import { formatTime, ownerName, rowId, time } from '../schemas.ts'
import type { ApiServices } from '../services.ts'
import { defineTokenEndpoints } from './access-tokens.ts'

const robotName = ownerName.max(50).openapi({ example: 'ci' })

const robot = z
  .object({
    name: robotName,
    login: z.string().meta({ description: 'The name that the robot logs in with, for example `acme+ci`.' }),
    disabled: z.boolean(),
    ownerDisabled: z.boolean().meta({
      description: 'Whether the owner is a disabled user. The tokens of the robot are then invalid.',
    }),
    createdAt: time,
  })
  .openapi('Robot')

const ownerParams = z.strictObject({ owner: ownerName })
const robotParams = z.strictObject({ owner: ownerName, robot: robotName })
const collection = '/owners/{owner}/robots'
const one = `${collection}/{robot}` as const
const tag = 'robots'
const access = 'owner:administer'

type RobotParams = z.output<typeof robotParams>

function fullName({ owner, robot: name }: RobotParams): string {
  return `${owner}+${name}`
}

async function findRobot(params: RobotParams, { robots }: ApiServices): Promise<Robot> {
  const found = await robots.find(fullName(params))
  if (found === undefined) throw notFound(`robot ${fullName(params)}`)
  return found
}

function formatRobot({ name: login, disabled, ownerDisabled, createdAt }: Robot): z.input<typeof robot> {
  const name = login.slice(login.indexOf('+') + 1)
  return { name, login, disabled, ownerDisabled, createdAt: formatTime(createdAt) }
}

async function getRobot(params: RobotParams, services: ApiServices): Promise<z.input<typeof robot>> {
  return formatRobot(await findRobot(params, services))
}

const robotRows = [
  defineEndpoint({
    id: 'listRobots',
    method: 'GET',
    path: collection,
    tag,
    summary: 'Lists the robots of an owner, sorted by name.',
    access,
    status: 200,
    problems: [404],
    params: ownerParams,
    query: pageQuery,
    result: pageOf(robot),
    handler: async ({ params: { owner }, query }, { robots }) => {
      const page = await readPage(
        query,
        (asked) => robots.list({ owner, ...asked }),
        ({ name }) => name,
      )
      return { ...page, value: { items: page.value.items.map(formatRobot) } }
    },
  }),
  defineEndpoint({
    id: 'createRobot',
    method: 'POST',
    path: collection,
    tag,
    summary: 'Creates a robot. It logs in with access tokens and has only the rights that are granted to it.',
    access,
    gives: 'access',
    status: 201,
    problems: [404, 409],
    params: ownerParams,
    body: z.strictObject({ name: robotName }),
    result: robot,
    handler: async ({ params: { owner }, body, actor }, { robots }) => {
      const made = await robots.create(`${owner}+${body.name}`, actor)
      return { value: formatRobot(made), location: `/owners/${owner}/robots/${body.name}` }
    },
  }),
  defineEndpoint({
    id: 'getRobot',
    method: 'GET',
    path: one,
    tag,
    summary: 'Returns a robot.',
    access,
    status: 200,
    problems: [404],
    tagged: true,
    params: robotParams,
    result: robot,
    handler: async ({ params }, services) => ({ value: await getRobot(params, services) }),
  }),
  defineEndpoint({
    id: 'changeRobot',
    method: 'PATCH',
    path: one,
    tag,
    summary: 'Disables or enables a robot. Its tokens become valid again when it is enabled.',
    access,
    gives: 'access',
    status: 200,
    problems: [404],
    params: robotParams,
    body: z.strictObject({ disabled: z.boolean() }),
    result: robot,
    current: ({ params }, services) => getRobot(params, services),
    handler: async ({ params, body, actor }, services) => {
      const name = fullName(params)
      await (body.disabled ? services.robots.disable(name, actor) : services.robots.enable(name, actor))
      return { value: await getRobot(params, services) }
    },
  }),
  defineEndpoint({
    id: 'deleteRobot',
    method: 'DELETE',
    path: one,
    tag,
    summary: 'Deletes a robot with its tokens and grants. Content that it pushed stays.',
    access,
    status: 204,
    problems: [404],
    params: robotParams,
    current: ({ params }, services) => getRobot(params, services),
    handler: async ({ params, actor }, { robots }) => {
      await robots.delete(fullName(params), actor)
      return {}
    },
  }),
]

const robotTokenRows = defineTokenEndpoints({
  name: 'RobotToken',
  path: `${one}/tokens`,
  tag,
  holder: 'a robot',
  access,
  rotateAccess: access,
  problems: [404],
  params: robotParams,
  tokenParams: robotParams.extend({ token: rowId }),
  accountId: async ({ params }, services) => (await findRobot(params, services)).id,
  location: ({ owner, robot: name }) => `/owners/${owner}/robots/${name}/tokens`,
})

export const robotEndpoints = [...robotRows, ...robotTokenRows]
