/** The leaves of the schema as a flat table, with the names each key has in the environment and as a flag. */
import { z } from 'zod'
import { findQuantity, type QuantityUnit } from './quantities.ts'
import { configSchema } from './schema.ts'

export type ConfigKind = 'boolean' | 'choice' | 'duration' | 'integer' | 'list' | 'number' | 'size' | 'text'

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
  readonly kind: ConfigKind
  /** What it accepts, in words that complete "expected". */
  readonly expected: string
  /** As a file would hold it: a duration or a size is a text with its unit. */
  readonly default: unknown
  /** Of a choice; empty for the other kinds. */
  readonly choices: readonly string[]
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
  readonly enum?: readonly string[]
  readonly const?: string
  readonly default?: unknown
  readonly description?: string
  readonly examples?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly secret?: boolean
  /** Of a duration or a size: what a plain number counts. */
  readonly unit?: QuantityUnit
}

const shortFlags: Readonly<Record<string, string>> = { 'http.port': '--port', 'http.host': '--host' }

const kinds: Readonly<Record<string, ConfigKind>> = {
  array: 'list',
  boolean: 'boolean',
  integer: 'integer',
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
  if (schema.type === 'array') return `a list of texts like ${example}`
  if (schema.minLength !== undefined && schema.minLength > 1)
    return `a text of at least ${schema.minLength} characters`
  return example === undefined ? 'a text that is not empty' : `a text like ${example}`
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
