/** The leaves of the schema as a flat table, with the names each key has in the environment and as a flag. */
import { z } from 'zod'
import { configSchema } from './schema.ts'

export interface ConfigKey {
  /** `http.port` */
  readonly path: string
  /** `LADING_HTTP_PORT` */
  readonly environment: string
  /** Names a file that holds the value; only secrets have one. */
  readonly fileEnvironment: string | undefined
  /** `--http.port` and, for a few, a short form. */
  readonly flags: readonly string[]
  readonly description: string
  /** What it accepts, in words that complete "expected". */
  readonly expected: string
  /** The kinds besides text that a text is turned into when it is exactly one; a list is separated by commas. */
  readonly takes: ReadonlySet<'boolean' | 'number' | 'list'>
  readonly default: unknown
  readonly secret: boolean
  /** The key exists only with this driver of its section. */
  readonly driver: string | undefined
}

/** The part of JSON Schema that zod writes for our schema. */
export interface JsonSchema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly oneOf?: readonly JsonSchema[]
  readonly anyOf?: readonly JsonSchema[]
  readonly enum?: readonly (string | number)[]
  readonly const?: string | number
  readonly default?: unknown
  readonly description?: string
  readonly examples?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly secret?: boolean
}

const shortFlags: Readonly<Record<string, string>> = { 'http.port': '--port', 'http.host': '--host' }

const kinds: Readonly<Record<string, 'boolean' | 'number' | 'list'>> = {
  array: 'list',
  boolean: 'boolean',
  integer: 'number',
  number: 'number',
}

/** JSON Schema of what a configuration file may hold. */
export function createJsonSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema
}

export const configKeys: readonly ConfigKey[] = listKeys(createJsonSchema(), '')

function listKeys(schema: JsonSchema, path: string, driver?: string): ConfigKey[] {
  if (schema.oneOf !== undefined) return listUnionKeys(schema.oneOf, path)
  if (schema.properties === undefined) return [describeKey(schema, path, driver)]
  return Object.entries(schema.properties).flatMap(([name, child]) =>
    listKeys(child, path === '' ? name : `${path}.${name}`, driver),
  )
}

/** Alternatives share their `driver`, which becomes one key with all its values. */
function listUnionKeys(alternatives: readonly JsonSchema[], path: string): ConfigKey[] {
  const drivers = alternatives.map((alternative) => alternative.properties?.['driver'] ?? {})
  const first = drivers[0] ?? {}
  const names = drivers.map(({ const: name }) => name ?? '')
  const shared = describeKey({ ...first, enum: names }, `${path}.driver`, undefined)
  const own = alternatives.flatMap((alternative, index) =>
    listKeys(alternative, path, String(names[index])).filter((key) => key.path !== shared.path),
  )
  return [shared, ...own]
}

function describeKey(schema: JsonSchema, path: string, driver: string | undefined): ConfigKey {
  const environment = `LADING_${path
    .replaceAll('.', '_')
    .replaceAll(/[A-Z]/g, (letter) => `_${letter}`)
    .toUpperCase()}`
  const short = shortFlags[path]
  const secret = schema.secret === true
  return {
    path,
    environment,
    fileEnvironment: secret ? `${environment}_FILE` : undefined,
    flags: short === undefined ? [`--${path}`] : [`--${path}`, short],
    description: schema.description ?? '',
    expected: describeExpected(schema),
    takes: new Set([schema, ...(schema.anyOf ?? [])].flatMap(({ type = '' }) => kinds[type] ?? [])),
    default: schema.default,
    secret,
    driver,
  }
}

function describeExpected(schema: JsonSchema): string {
  const values = schema.enum ?? schema.anyOf?.map((alternative) => alternative.const ?? '')
  if (values !== undefined) return `one of ${values.join(', ')}`
  if (schema.type === 'integer') return describeRange(schema)
  if (schema.type === 'boolean') return 'true or false'
  const example = schema.examples?.[0]
  if (schema.type === 'array') return `a list of texts like ${example}`
  if (schema.minLength !== undefined && schema.minLength > 1)
    return `a text of at least ${schema.minLength} characters`
  return example === undefined ? 'a text that is not empty' : `a text like ${example}`
}

function describeRange({ minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: JsonSchema): string {
  if (maximum === Number.MAX_SAFE_INTEGER) return `a whole number from ${minimum}`
  return `a whole number from ${minimum} to ${maximum}`
}
