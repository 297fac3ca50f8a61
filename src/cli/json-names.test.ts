/** With `--json` the commands answer with the fields of the management API, as `docs/openapi.json` describes them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startInProcess } from '../../test/support/parts/in-process.ts'
import { anImageManifest, pushImage } from '../../test/support/content/manifests.ts'
import { runLading } from '../../test/support/processes/run-lading.ts'
import { shareScene } from '../../test/support/scenes/share-scene.ts'

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

/** Follows references and merges the parts of a schema. */
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

/**
 * Fields that are missing, unknown or of a different type. `extra` lists fields that only the commands return; `-name` marks a
 * field that they omit.
 */
function findFaults(value: unknown, schema: Schema, extra: readonly string[] = []): string[] {
  const { type, items = {}, properties } = resolve(schema)
  if (type === 'array') return (value as unknown[]).flatMap((entry) => findFaults(entry, items))
  if (type !== 'object') return findValueFaults(value, schema)
  return properties === undefined ? [] : findFieldFaults(value as Row, resolve(schema), extra)
}

type Row = Readonly<Record<string, unknown>>

function findFieldFaults(row: Row, schema: Schema, extra: readonly string[]): string[] {
  const { properties = {}, required = [] } = schema
  const missing = required.filter((name) => row[name] === undefined && !extra.includes(`-${name}`))
  const unknown = Object.keys(row).filter((name) => !(name in properties) && !extra.includes(name))
  return [
    ...missing.map((name) => `${name} is missing`),
    ...unknown.map((name) => `${name} is unknown`),
    ...Object.entries(properties).flatMap(([name, field]) =>
      row[name] === undefined ? [] : findFaults(row[name], field, extra),
    ),
  ]
}

function findValueFaults(value: unknown, { type, format, enum: choices }: Schema): string[] {
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

/** The fields that only the command line adds to a token, because it lists the tokens of all accounts. */
const tokenExtra = ['principal', 'createdBy', 'state']

const rows: readonly {
  readonly line: string
  readonly schema: string
  readonly extra?: readonly string[]
}[] = [
  { line: 'user list', schema: 'User', extra: ['passwordSetAt'] },
  { line: 'user show alice', schema: 'OwnerDetails' },
  { line: 'org list', schema: 'Owner' },
  { line: 'org show acme', schema: 'OwnerDetails' },
  { line: 'org member list acme', schema: 'Member' },
  { line: 'team list acme', schema: 'Team', extra: ['owner'] },
  { line: 'team member list acme/dev', schema: 'Member' },
  { line: 'grant add alice+ci reader alice **', schema: 'Grant' },
  { line: 'grant list', schema: 'Grant' },
  { line: 'role list', schema: 'Role' },
  { line: 'access explain admin pull alice/web', schema: 'Explanation' },
  { line: 'access explain alice push acme/web', schema: 'Explanation' },
  { line: 'access explain alice+ci push alice/web', schema: 'Explanation' },
  { line: 'access who-can push acme **', schema: 'Holder' },
  { line: 'repository list', schema: 'Repository' },
  { line: 'repository show alice/web', schema: 'Repository' },
  { line: 'robot list', schema: 'Robot' },
  { line: 'token create alice --expires 1d', schema: 'CreatedAccessToken', extra: tokenExtra },
  { line: 'token list', schema: 'AccessToken', extra: tokenExtra },
  { line: 'session list', schema: 'Session', extra: ['user', '-current'] },
  { line: 'audit search', schema: 'AuditEvent' },
]

describe('JSON of commands', () => {
  test.each(rows)('$line answers with the fields of $schema', async ({ line, schema, extra = [] }) => {
    const { lading } = await shared()
    const value: unknown = (await lading(`${line} --json`)).json()
    const entries: unknown[] = Array.isArray(value) ? value : [value]
    expect(entries.length).toBeGreaterThan(0)
    const shape = document.components.schemas[schema] ?? {}
    expect(shape).toHaveProperty(shape.allOf === undefined ? 'properties' : 'allOf')
    expect(entries.flatMap((entry) => findFaults(entry, shape, extra))).toEqual([])
  })
})
