/**
 * @module Merges the configuration: defaults < file < environment < flags. An unknown name, an unreadable file or a value
 * of the wrong kind stops start-up, and all faults are reported at once. Everything here is pure except `processSources`,
 * the only function that reads `process.env`.
 */
import { readFileSync } from 'node:fs'
import { configKeys } from './keys.ts'
import { configSchema } from './schema.ts'
import type { Config } from './schema.ts'
import { readEnvironment, readFileSource, readFlags } from './sources.ts'
import type { ReadFile, Setting, Source } from './sources.ts'

export interface ConfigSources {
  /** The flags, without the words of the command. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly readFile: ReadFile
}

export interface LoadedConfig {
  readonly config: Config
  /** The origin of each value that is not a default, by key path. */
  readonly origins: ReadonlyMap<string, string>
}

/** The configuration file that is read if it exists and `--config` is not given. */
export const defaultConfigFile = './lading.yaml'

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly string[]
  constructor(faults: readonly string[], options?: ErrorOptions) {
    super(`the configuration is invalid:\n${faults.map((fault) => `  ${fault}`).join('\n')}`, options)
    this.faults = faults
  }
}

/** Loads and validates the configuration. Throws a `ConfigError` that lists every fault. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const flags = readFlags(sources.argv)
  const read = [
    readConfigFile(flags.file, sources.readFile),
    readEnvironment(sources.env, sources.readFile),
    flags,
  ]
  const settings = new Map(read.flatMap((source) => [...source.settings]))
  const faults = read.flatMap((source) => source.faults)
  const parsed = configSchema.safeParse(nest(settings))
  if (parsed.error !== undefined) {
    faults.push(...parsed.error.issues.flatMap((issue) => describeIssue(issue, settings)))
  }
  if (faults.length > 0 || parsed.data === undefined) throw new ConfigError(faults)
  return {
    config: parsed.data,
    origins: new Map([...settings].map(([path, { origin }]) => [path, origin])),
  }
}

/** The environment and the files of this process. */
export function processSources(): Omit<ConfigSources, 'argv'> {
  return { env: process.env, readFile: findText }
}

function findText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function readConfigFile(named: string | undefined, readFile: ReadFile): Source {
  const path = named ?? defaultConfigFile
  const nothing = new Map<string, Setting>()
  try {
    const text = readFile(path)
    if (text !== undefined) return readFileSource(path, text)
    return { settings: nothing, faults: named === undefined ? [] : [`--config: file not found: ${path}`] }
  } catch (error) {
    return { settings: nothing, faults: [`cannot read ${path}: ${(error as Error).message}`] }
  }
}

function nest(settings: ReadonlyMap<string, Setting>): Record<string, unknown> {
  const tree: Record<string, unknown> = {}
  for (const [path, { value }] of settings) {
    const names = path.split('.')
    const last = names.pop() ?? path
    let section = tree
    for (const name of names) section = (section[name] ??= {}) as Record<string, unknown>
    section[last] = value
  }
  return tree
}

interface Issue {
  readonly code?: string
  readonly path: readonly PropertyKey[]
  readonly keys?: readonly string[]
  readonly message?: string
  /** `isRule` marks a rule that involves several keys; its message is complete. */
  readonly params?: Readonly<Record<string, unknown>> | undefined
}

function describeIssue(issue: Issue, settings: ReadonlyMap<string, Setting>): string[] {
  if (issue.params?.['isRule'] === true) return [`${issue.path.join('.')}: ${issue.message}`]
  // The index of a list entry is not part of the key.
  const names = issue.path.filter((name) => typeof name !== 'number')
  const paths = (issue.keys ?? ['']).map((name) => [...names, name].filter(Boolean).join('.'))
  return paths.map((path) => {
    const key = configKeys.find((candidate) => candidate.path === path)
    const setting = settings.get(path)
    if (key === undefined) return `${path}: unknown key`
    if (setting === undefined)
      return `${path}: required ${withDriver(path, key.driver)}; set it in the file or as ${key.environment}`
    if (issue.code === 'unrecognized_keys')
      return `${path}: allowed only ${withDriver(path, key.driver)} (${setting.origin})`
    const value = key.secret ? 'another value, which is not shown' : formatGiven(setting.value)
    return `${path}: expected ${key.expected}, got ${value} (${setting.origin})`
  })
}

/** Formats numbers as text, because JSON cannot represent `.nan`, which YAML reads as a number. */
function formatGiven(value: unknown): string {
  return typeof value === 'number' ? String(value) : JSON.stringify(value)
}

function withDriver(path: string, driver: string | undefined): string {
  return `with ${path.slice(0, path.lastIndexOf('.'))}.driver ${driver}`
}
