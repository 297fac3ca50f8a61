import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configKeys } from './keys.ts'
import { ConfigError, loadConfig, type LoadedConfig } from './load.ts'

const file = './lading.yaml'
const sources = { argv: [], env: {}, readFile: () => undefined }

/** The configuration, or the faults without the place where the value was set. */
function outcome(load: () => LoadedConfig, origin: string): unknown {
  try {
    return load().config
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.faults.map((fault) => fault.replace(origin, 'origin'))
  }
}

function nest(path: string, text: string): string {
  const names = path.split('.')
  return `${names.map((name, depth) => `${'  '.repeat(depth)}${name}:`).join('\n')} ${text}\n`
}

function findKey(path: string) {
  const key = configKeys.find((one) => one.path === path)
  if (key === undefined) throw new Error(`${path} is not a key`)
  return key
}

const fromFile = (path: string, text: string) => () =>
  loadConfig({ ...sources, readFile: (name) => (name === file ? nest(path, text) : undefined) })
const fromVariable = (path: string, text: string) => () =>
  loadConfig({ ...sources, env: { [findKey(path).environment]: text } })
const fromFlag = (path: string, text: string) => () => loadConfig({ ...sources, argv: [`--${path}`, text] })

describe('a value', () => {
  test.each([
    ['audit.pulls', '0.01'],
    ['audit.pulls', '1e-2'],
    ['audit.pulls', '.5'],
    ['audit.pulls', '1'],
    ['audit.pulls', '1.5'],
    ['audit.pulls', '.nan'],
    ['audit.pulls', 'one'],
    ['http.port', '5001'],
    ['http.port', '+5001'],
    ['http.port', '0x1389'],
    ['http.port', '50.5'],
    ['http.port', '5001/tcp'],
    ['http.port', 'true'],
    ['delete.enabled', 'true'],
    ['delete.enabled', 'False'],
    ['delete.enabled', 'off'],
    ['delete.enabled', '1'],
    ['auth.tokenLifetimeMs', '120000'],
    ['auth.tokenLifetimeMs', '12m'],
    ['auth.tokenLifetimeMs', '2h30m'],
    ['audit.retention.days', '30'],
    ['audit.retention.days', '30d'],
    ['limits.manifestBytes', '1048576'],
    ['limits.manifestBytes', '1MiB'],
    ['limits.manifestBytes', '1M'],
  ])('of %s means the same in the file, in a variable and in a flag: %s', (path, text) => {
    const expected = outcome(fromFile(path, text), file)
    expect(outcome(fromVariable(path, text), findKey(path).environment)).toEqual(expected)
    expect(outcome(fromFlag(path, text), `--${path}`)).toEqual(expected)
  })

  test("reads the manual's fraction from a variable", () => {
    expect(fromVariable('audit.pulls', '0.01')().config.audit.pulls).toBe(0.01)
  })
})

describe('a duration', () => {
  test.each([
    ['15m', 900_000],
    ['90s', 90_000],
    ['24h', 86_400_000],
    ['1d', 86_400_000],
    ['90000ms', 90_000],
    ['90000', 90_000],
  ])('of milliseconds is %s', (text, ms) => {
    expect(fromVariable('auth.tokenLifetimeMs', text)().config.auth.tokenLifetimeMs).toBe(ms)
  })

  test.each([
    ['90d', 90],
    ['48h', 2],
    ['7', 7],
  ])('of days is %s', (text, days) => {
    expect(fromVariable('audit.retention.days', text)().config.audit.retention.days).toBe(days)
  })

  test.each([
    [
      'auth.tokenLifetimeMs',
      '1.5h',
      'auth.tokenLifetimeMs: expected a duration from 1m to 1d, like 90s or 24h (a plain number is in milliseconds), got "1.5h" (LADING_AUTH_TOKEN_LIFETIME_MS)',
    ],
    [
      'auth.tokenLifetimeMs',
      '30d',
      'auth.tokenLifetimeMs: expected a duration from 1m to 1d, like 90s or 24h (a plain number is in milliseconds), got "30d" (LADING_AUTH_TOKEN_LIFETIME_MS)',
    ],
    [
      'audit.retention.days',
      '36h',
      'audit.retention.days: expected a duration from 1d, like 30d (a plain number is in days), got "36h" (LADING_AUDIT_RETENTION_DAYS)',
    ],
  ])('of %s is not %s', (path, text, fault) => {
    expect(fromVariable(path, text)).toThrow(new ConfigError([fault]))
  })
})

describe('a size', () => {
  test.each([
    ['10GiB', 10_737_418_240],
    ['500MB', 500_000_000],
    ['16777216', 16_777_216],
  ])('is %s', (text, bytes) => {
    expect(fromVariable('limits.replyMemoryBytes', text)().config.limits.replyMemoryBytes).toBe(bytes)
  })

  test('is not below the minimum', () => {
    expect(fromVariable('limits.replyMemoryBytes', '15MiB')).toThrow(
      'limits.replyMemoryBytes: expected a size from 16MiB, like 500MB or 10GiB (a plain number is in bytes), got "15MiB" (LADING_LIMITS_REPLY_MEMORY_BYTES)',
    )
  })
})

test('a fraction outside its range is refused with the range', () => {
  expect(fromVariable('audit.pulls', '1.5')).toThrow(
    'audit.pulls: expected a number from 0 to 1, got 1.5 (LADING_AUDIT_PULLS)',
  )
})

test.each(configKeys.filter((key) => typeof key.default === 'string'))(
  'the documented default of $path can be set',
  ({ path, default: value }) => {
    expect(fromVariable(path, String(value))().config).toEqual(loadConfig(sources).config)
  },
)

test('every key is read outside config/', () => {
  const root = join(import.meta.dirname, '..')
  const code = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.startsWith('config/'))
    .map((path) => readFileSync(join(root, path), 'utf8').replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, ''))
    .join('\n')
  const words = new Set(code.match(/\w+/g))
  expect(configKeys.filter(({ path }) => !words.has(path.split('.').at(-1) ?? ''))).toEqual([])
})
