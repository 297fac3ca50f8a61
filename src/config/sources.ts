/** Reads the file, the environment and the flags, each into the same shape with its faults. */
import { parse, parseDocument } from 'yaml'
import { configKeys } from './keys.ts'
import type { ConfigKey, ConfigKind } from './keys.ts'
import { isFromKubernetes } from './kubernetes.ts'
import { suggest } from './suggest.ts'

export interface Setting {
  readonly value: unknown
  /** The file, variable or flag that set the value, for messages. */
  readonly origin: string
}

/** The valid settings by key path, and the faults of the other settings. */
export interface Source {
  readonly settings: ReadonlyMap<string, Setting>
  readonly faults: readonly string[]
}

/** Returns `undefined` if the file does not exist; throws if it cannot be read. */
export type ReadFile = (path: string) => string | undefined

const keysByPath = new Map(configKeys.map((key) => [key.path, key]))
const keysByFlag = new Map(configKeys.flatMap((key) => key.flags.map((flag) => [flag, key])))

const configFlag = '--config'

export function readFileSource(path: string, text: string): Source {
  const document = parseDocument(text, { prettyErrors: true })
  const problems = [...document.errors, ...document.warnings]
  if (problems.length > 0) return refuse(problems.map(({ message }) => `${path}: ${message.trimEnd()}`))
  const tree: unknown = document.toJS()
  if (tree !== null && !isMapping(tree)) return refuse([`${path}: expected a mapping of keys to values`])
  const settings = new Map<string, Setting>()
  const faults: string[] = []
  for (const [names, value] of flatten(tree ?? {}, [])) {
    const fault = findNameFault(names, value)
    if (fault !== undefined) faults.push(`${path}: ${fault}`)
    else if (keysByPath.has(names.join('.'))) settings.set(names.join('.'), { value, origin: path })
  }
  return { settings, faults }
}

function refuse(faults: readonly string[]): Source {
  return { settings: new Map(), faults }
}

export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  readFile: ReadFile,
): Source {
  const settings = new Map<string, Setting>()
  const faults: string[] = []
  const known = new Set<string>()
  for (const key of configKeys) {
    known.add(key.environment)
    if (key.fileEnvironment !== undefined) known.add(key.fileEnvironment)
    try {
      const setting = readVariable(key, env, readFile)
      if (setting !== undefined) settings.set(key.path, setting)
    } catch (error) {
      faults.push((error as Error).message)
    }
  }
  for (const [name, value = ''] of Object.entries(env)) {
    if (!name.startsWith('LADING_') || known.has(name) || isFromKubernetes(name, value)) continue
    faults.push(`unknown variable ${name}${suggest(name, known)}`)
  }
  return { settings, faults }
}

export interface Flags extends Source {
  /** The file that `--config` names. */
  readonly file: string | undefined
}

export function readFlags(argv: readonly string[]): Flags {
  const settings = new Map<string, Setting>()
  const faults: string[] = []
  let file: string | undefined
  const rest = [...argv]
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (!argument.startsWith('-')) {
      faults.push(`unexpected argument ${argument}`)
      continue
    }
    const [flag = '', ...inline] = argument.split('=')
    const text = inline.length > 0 ? inline.join('=') : takeValue(rest)
    const key = keysByFlag.get(flag)
    if (key === undefined && flag !== configFlag) {
      faults.push(`unknown flag ${flag}${suggest(flag, [...keysByFlag.keys(), configFlag])}`)
    } else if (text === undefined) faults.push(`${flag} needs a value`)
    else if (key === undefined) file = text
    else settings.set(key.path, { value: parseText(key, text), origin: flag })
  }
  return { settings, faults, file }
}

function takeValue(rest: string[]): string | undefined {
  return rest[0]?.startsWith('--') === true ? undefined : rest.shift()
}

function readVariable(
  key: ConfigKey,
  env: Readonly<Record<string, string | undefined>>,
  readFile: ReadFile,
): Setting | undefined {
  const text = env[key.environment]
  const fileName = key.fileEnvironment === undefined ? undefined : env[key.fileEnvironment]
  if (fileName === undefined) {
    return text === undefined ? undefined : { value: parseText(key, text), origin: key.environment }
  }
  if (text !== undefined)
    throw new Error(`${key.environment} and ${key.fileEnvironment} are both set: set only one of them`)
  const content = readFile(fileName)
  if (content === undefined) throw new Error(`${key.fileEnvironment}: file not found: ${fileName}`)
  // Editors and `echo` end a file with a line break, which is not part of the secret.
  return { value: content.replace(/\r?\n$/, ''), origin: `${key.fileEnvironment}` }
}

const scalarKinds: ReadonlySet<ConfigKind> = new Set(['boolean', 'duration', 'integer', 'number', 'size'])

/**
 * Converts a text to a number or a boolean if the key accepts one and YAML would read it as one. Any other text is left
 * unchanged, and the schema refuses it.
 */
function parseText(key: ConfigKey, text: string): unknown {
  if (key.kind === 'list') return text === '' ? [] : text.split(',').map((entry) => entry.trim())
  if (!scalarKinds.has(key.kind) || !/^[-+.\w]+$/.test(text)) return text
  const value: unknown = parse(text)
  return typeof value === 'number' || typeof value === 'boolean' ? value : text
}

type Leaf = readonly [names: readonly string[], value: unknown]

function* flatten(tree: Readonly<Record<string, unknown>>, names: readonly string[]): Generator<Leaf> {
  for (const [name, value] of Object.entries(tree)) {
    if (isMapping(value)) yield* flatten(value, [...names, name])
    else yield [[...names, name], value]
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSection(path: string): boolean {
  return configKeys.some((key) => key.path.startsWith(`${path}.`))
}

function findNameFault(names: readonly string[], value: unknown): string | undefined {
  const path = names.join('.')
  // A dotted key like `http.port:` would be a second way to set the same value.
  if (names.some((name) => name.includes('.'))) return `write ${path} as nested keys`
  if (keysByPath.has(path)) return undefined
  if (!isSection(path)) return `unknown key ${path}${suggest(path, keysByPath.keys())}`
  return value === null ? undefined : `${path} is a section: set the keys in it`
}
