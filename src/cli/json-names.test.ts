/** With `--json` the commands answer with the fields of the management API, as `docs/openapi.json` describes them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startInProcess } from '../../test/support/in-process.ts'
import { anImageManifest, pushImage } from '../../test/support/manifests.ts'
import { runLading } from '../../test/support/run-lading.ts'
import { shareScene } from '../../test/support/share-scene.ts'

interface Schema {
  readonly $ref?: string
  readonly allOf?: readonly Schema[]
  readonly type?: string
  readonly format?: string
  readonly enum?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
}

const document = JSON.parse(readFileSync(join(import.meta.dirname, '../../docs/openapi.json'), 'utf8')) as {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** Follows references and joins the parts of a whole. */
function resolve(schema: Schema): Schema {
  if (schema.$ref !== undefined) return resolve(document.components.schemas[schema.$ref.split('/').at(-1)!]!)
  if (schema.allOf === undefined) return schema
  const parts = schema.allOf.map(resolve)
  return {
    type: 'object',
    properties: Object.assign({}, ...parts.map(({ properties }) => properties)) as Schema['properties'] & {},
    required: parts.flatMap(({ required = [] }) => required),
  }
}

/** Fields that are missing, unknown or of another type. `extra` names what the commands add. */
function findFaults(value: unknown, schema: Schema, extra: readonly string[] = []): string[] {
  const { type, format, enum: choices, properties = {}, required = [], items } = resolve(schema)
  if (type === 'array') {
    return (value as unknown[]).flatMap((entry) => (items === undefined ? [] : findFaults(entry, items)))
  }
  if (type === 'object') {
    const row = value as Readonly<Record<string, unknown>>
    if (Object.keys(properties).length === 0) return []
    const missing = required.filter((name) => row[name] === undefined && !extra.includes(`-${name}`))
    const unknown = Object.keys(row).filter((name) => !(name in properties) && !extra.includes(name))
    return [
      ...missing.map((name) => `${name} is missing`),
      ...unknown.map((name) => `${name} is unknown`),
      ...Object.entries(row).flatMap(([name, field]) =>
        name in properties ? findFaults(field, properties[name]!, extra) : [],
      ),
    ]
  }
  const isRight =
    (type === 'integer' ? Number.isInteger(value) : typeof value === type) &&
    (choices === undefined || choices.includes(String(value))) &&
    (format !== 'date-time' || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(String(value)))
  return isRight ? [] : [`${JSON.stringify(value)} is not ${format ?? type}`]
}

const password = 'a password of some length'

const shared = shareScene(async () => {
  const registry = await startInProcess({ auth: { anonymous: 'pull' } })
  const env = { LADING_DATA: registry.dataDir }
  const lading = async (line: string) => {
    const result = await runLading(line, { env, stdin: password })
    expect(result).toMatchObject({ err: '' })
    return result
  }
  for (const line of [
    'user add alice --password-stdin',
    'robot add alice+ci',
    'org create acme',
    'org member add acme alice --role owner',
    'team create acme/dev',
    'team member add acme/dev alice',
    'grant add acme/dev writer acme web/**',
    'token create alice --action pull,push --repository alice/** --expires 90d',
  ]) {
    await lading(line)
  }
  await pushImage(`${registry.url}/v2/alice/web`, anImageManifest(), {
    reference: 'latest',
    headers: { authorization: `Basic ${Buffer.from(`alice:${password}`).toString('base64')}` },
  })
  const origin = { address: '192.0.2.7', client: 'firefox' }
  await registry.app.auth.sessions.login({ name: 'alice', password }, origin)
  return { lading, [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() }
})

/** What only the command line says of a token: it lists those of all accounts. */
const tokenExtra = ['principal', 'createdBy', 'state']

const rows: readonly (readonly [line: string, schema: string, extra?: readonly string[]])[] = [
  ['user list', 'User', ['passwordSetAt']],
  ['user show alice', 'OwnerDetails'],
  ['org list', 'Owner'],
  ['org show acme', 'OwnerDetails'],
  ['org member list acme', 'Member'],
  ['team list acme', 'Team', ['owner']],
  ['team member list acme/dev', 'Member'],
  ['grant add alice+ci reader alice **', 'Grant'],
  ['grant list', 'Grant'],
  ['role list', 'Role'],
  ['access explain admin pull alice/web', 'Explanation'],
  ['access explain alice push acme/web', 'Explanation'],
  ['access explain alice+ci push alice/web', 'Explanation'],
  ['access who-can push acme **', 'Holder'],
  ['repository list', 'Repository'],
  ['repository show alice/web', 'Repository'],
  ['robot list', 'Robot'],
  ['token create alice --expires 1d', 'CreatedAccessToken', tokenExtra],
  ['token list', 'AccessToken', tokenExtra],
  ['session list', 'Session', ['user', '-current']],
  ['audit search', 'AuditEvent'],
]

describe('JSON of commands', () => {
  test.each(rows)('%s answers with the fields of %s', async (line, schema, extra = []) => {
    const { lading } = await shared()
    const value = (await lading(`${line} --json`)).json()
    const entries = Array.isArray(value) ? (value as unknown[]) : [value]
    expect(entries.length).toBeGreaterThan(0)
    const faults = entries.flatMap((entry) => findFaults(entry, document.components.schemas[schema]!, extra))
    expect(faults).toEqual([])
  })
})
