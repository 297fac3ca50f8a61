/** The leaves of the schema as a flat table, with the environment variable and the flags of each key. */
import { z } from 'zod'
import { findQuantity, type QuantityUnit } from './quantities.ts'
import { configSchema } from './schema.ts'

export type ConfigKind = 'boolean' | 'choice' | 'duration' | 'integer' | 'list' | 'number' | 'size' | 'text'

export interface ConfigKey {
  /** `http.port` */
  readonly path: string
  /** `LADING_HTTP_PORT` */
  readonly environment: string
  /** The variable that names a file with the value; only secrets have one. */
  readonly fileEnvironment: string | undefined
  /** `--http.port` and, for a few keys, a short form. */
  readonly flags: readonly string[]
  readonly description: string
  readonly kind: ConfigKind
  /** The accepted values, worded to follow "expected". */
  readonly expected: string
  /** The default as it is written in a file: a duration or a size is a string with its unit. */
  readonly default: unknown
  /** The values of a choice; empty for the other kinds. */
  readonly choices: readonly string[]
  readonly secret: boolean
  /** The driver of its section that the key belongs to, if it is valid only with that driver. */
  readonly driver: string | undefined
}

/** The part of JSON Schema that zod writes for our schema. */
export interface JsonSchema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly oneOf?: readonly JsonSchema[]
  readonly anyOf?: readonly JsonSchema[]
  readonly enum?: readonly string[]
  readonly const?: string
  readonly default?: unknown
  readonly description?: string
  readonly examples?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly secret?: boolean
  /** The unit of a plain number, for a duration or a size. */
  readonly unit?: QuantityUnit
}

const shortFlags: Readonly<Record<string, string>> = { 'http.port': '--port', 'http.host': '--host' }

const kinds: Readonly<Record<string, ConfigKind>> = {
  array: 'list',
  boolean: 'boolean',
  integer: 'integer',
  number: 'number',
}

/** Returns the JSON Schema of a configuration file. */
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

/** Merges the `driver` of all alternatives into one key that lists every value. */
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
    kind: findKind(schema),
    expected: describeExpected(schema),
    default: schema.default,
    choices: schema.enum ?? [],
    secret,
    driver,
  }
}

function findKind({ unit, enum: choices, type = '' }: JsonSchema): ConfigKind {
  if (unit !== undefined) return findQuantity(unit).kind
  return choices === undefined ? (kinds[type] ?? 'text') : 'choice'
}

function describeExpected(schema: JsonSchema): string {
  if (schema.unit !== undefined) return describeQuantity(schema, schema.unit)
  if (schema.enum !== undefined) return `one of ${schema.enum.join(', ')}`
  if (schema.type === 'integer') return `a whole number ${describeRange(schema, String)}`
  if (schema.type === 'number') return `a number ${describeRange(schema, String)}`
  if (schema.type === 'boolean') return 'true or false'
  const example = schema.examples?.[0]
  if (schema.type === 'array') return `a list of strings like ${example}`
  if (schema.minLength !== undefined && schema.minLength > 1)
    return `a string of at least ${schema.minLength} characters`
  return example === undefined ? 'a non-empty string' : `a string like ${example}`
}

function describeQuantity({ anyOf = [] }: JsonSchema, unit: QuantityUnit): string {
  const { kind, format, examples } = findQuantity(unit)
  const range = anyOf.find(({ type }) => type === 'integer') ?? {}
  return `a ${kind} ${describeRange(range, format)}, like ${examples} (a plain number is in ${unit})`
}

function describeRange(
  { minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: JsonSchema,
  format: (value: number) => string,
): string {
  if (maximum === Number.MAX_SAFE_INTEGER) return `from ${format(minimum)}`
  return `from ${format(minimum)} to ${format(maximum)}`
}
