import { describe, expect, test } from 'vitest'
import { configKeys } from './keys.ts'
import { ConfigError, loadConfig } from './load.ts'
import { Secret } from './secrets.ts'

interface Given {
  readonly argv?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Contents by path. */
  readonly files?: Readonly<Record<string, string>>
}

function load({ argv = [], env = {}, files = {} }: Given = {}) {
  return loadConfig({ argv, env, readFile: (path) => files[path] })
}

function faultsOf(given: Given): readonly string[] {
  try {
    load(given)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

const yaml = (text: string) => ({ './lading.yaml': text })

describe('loadConfig', () => {
  test('serves ./data on 127.0.0.1:5000 without configuration', () => {
    expect(load().config).toEqual({
      data: './data',
      http: { host: '127.0.0.1', port: 5000, cors: { origins: [] }, tls: {}, trustedProxies: [] },
      auth: {
        anonymous: 'pull',
        refreshTokens: false,
        tokenLifetimeMs: 900_000,
        sessionIdleMs: 43_200_000,
        sessionLifetimeMs: 604_800_000,
        selfRegistration: false,
      },
      audit: { pulls: 0, retention: { days: 365, maxRows: 10_000_000 } },
      admin: { name: 'admin' },
      repository: { visibility: 'private' },
      references: { blobs: 'strict', children: 'lenient' },
      delete: { enabled: true },
      metadata: { driver: 'sqlite' },
      storage: { driver: 'filesystem' },
      uploads: { expireAfterMs: 86_400_000, maxSessions: 1000 },
      limits: {
        manifestBytes: 10_485_760,
        idleTimeoutMs: 60_000,
        replyIdleTimeoutMs: 300_000,
        replyMemoryBytes: 268_435_456,
        connections: 10_000,
        connectionsPerAddress: 1_000,
      },
      shutdown: { drainMs: 20_000 },
      log: { level: 'info', format: 'auto' },
      metrics: { host: '127.0.0.1' },
      tracing: {},
    })
  })

  test('G2: no default listens beyond loopback or carries a password', () => {
    const { config } = load()
    expect([config.http.host, config.metrics.host]).toEqual(['127.0.0.1', '127.0.0.1'])
    expect(config.admin.password).toBeUndefined()
    expect(config.metrics.token).toBeUndefined()
  })

  test('G3: no proxy is trusted by default', () => {
    expect(load().config.http.trustedProxies).toEqual([])
  })

  test('prefers flags to the environment, and the environment to the file', () => {
    const { config, origins } = load({
      argv: ['--data', '/flag'],
      env: { LADING_DATA: '/env', LADING_HTTP_HOST: '::1' },
      files: yaml('data: /file\nhttp:\n  host: 10.0.0.1\n  port: 6000\n'),
    })
    expect(config.data).toBe('/flag')
    expect(config.http).toMatchObject({ host: '::1', port: 6000 })
    expect(Object.fromEntries(origins)).toEqual({
      data: '--data',
      'http.host': 'LADING_HTTP_HOST',
      'http.port': './lading.yaml',
    })
  })

  test('reads the file given by --config instead of ./lading.yaml', () => {
    const files = { ...yaml('data: /default\n'), '/etc/lading.yaml': 'data: /named\n' }
    expect(load({ argv: ['--config', '/etc/lading.yaml'], files }).config.data).toBe('/named')
  })

  test.each([
    ['an empty file', ''],
    ['a section without keys', 'http:\nlog: {}\n'],
    ['comments only', '# nothing yet\n'],
  ])('reads %s as no settings', (_, text) => {
    expect(load({ files: yaml(text) }).config).toEqual(load().config)
  })

  test.each([
    [['--http.port', '7000'], 7000],
    [['--http.port=7000'], 7000],
    [['--port', '7000'], 7000],
  ])('reads the flags %j', (argv, port) => {
    expect(load({ argv }).config.http.port).toBe(port)
  })

  test('converts text to the number or boolean of the key', () => {
    const { config } = load({
      env: { LADING_HTTP_PORT: '1', LADING_DELETE_ENABLED: 'false', LADING_DATA: '1' },
    })
    expect(config).toMatchObject({ http: { port: 1 }, delete: { enabled: false }, data: '1' })
  })

  test('reads a comma-separated list from a variable, and a list from the file', () => {
    const proxies = ['10.0.0.0/8', '::1']
    expect(
      load({ env: { LADING_HTTP_TRUSTED_PROXIES: '10.0.0.0/8, ::1' } }).config.http.trustedProxies,
    ).toEqual(proxies)
    const files = yaml('http:\n  trustedProxies:\n    - 10.0.0.0/8\n    - "::1"\n')
    expect(load({ files }).config.http.trustedProxies).toEqual(proxies)
    expect(load({ argv: ['--http.trustedProxies', ''] }).config.http.trustedProxies).toEqual([])
  })

  test('reads a secret from the file given by a variable, without its last line break', () => {
    const { config } = load({
      env: { LADING_METADATA_DRIVER: 'postgres', LADING_METADATA_URL_FILE: '/run/secrets/url' },
      files: { '/run/secrets/url': 'postgres://u:p@db/lading\n' },
    })
    if (config.metadata.driver !== 'postgres') throw new Error('the driver is not postgres')
    expect(config.metadata.url).toBeInstanceOf(Secret)
    expect(config.metadata.url.reveal()).toBe('postgres://u:p@db/lading')
    expect(JSON.stringify(config)).not.toContain('u:p')
  })

  test('ignores the variables that Kubernetes injects for a Service named lading', () => {
    const env = {
      LADING_PORT: 'tcp://10.0.0.1:5000',
      LADING_PORT_5000_TCP: 'x',
      LADING_SERVICE_HOST: '10.0.0.1',
    }
    expect(load({ env }).config).toEqual(load().config)
  })

  test('reports all faults together', () => {
    const env = { LADING_HTTP_PORT: '50o0', LADING_HTTP_HSOT: 'x' }
    expect(faultsOf({ argv: ['--prot', '1'], env, files: yaml('dta: x\n') })).toEqual([
      './lading.yaml: unknown key dta; did you mean data?',
      'unknown variable LADING_HTTP_HSOT; did you mean LADING_HTTP_HOST?',
      'unknown flag --prot; did you mean --port?',
      'http.port: expected a whole number from 0 to 65535, got "50o0" (LADING_HTTP_PORT)',
    ])
  })

  const url = 'postgres://u:p@db/lading'
  test.each<[string, Given, string]>([
    [
      'a key in a section',
      { files: yaml('http:\n  prot: 1\n') },
      './lading.yaml: unknown key http.prot; did you mean http.port?',
    ],
    ['a key far from any', { files: yaml('kubernetes: 1\n') }, './lading.yaml: unknown key kubernetes'],
    [
      'a value for a section',
      { files: yaml('http: 5\n') },
      './lading.yaml: http is a section: set the keys in it',
    ],
    ['a dotted key', { files: yaml('http.port: 1\n') }, './lading.yaml: write http.port as nested keys'],
    ['a list as the file', { files: yaml('- a\n') }, './lading.yaml: expected a mapping of keys to values'],
    [
      'a number in quotes',
      { files: yaml('http:\n  port: "1"\n') },
      'http.port: expected a whole number from 0 to 65535, got "1" (./lading.yaml)',
    ],
    [
      'a yes for a boolean',
      { env: { LADING_DELETE_ENABLED: 'yes' } },
      'delete.enabled: expected true or false, got "yes" (LADING_DELETE_ENABLED)',
    ],
    [
      'an empty text',
      { env: { LADING_DATA: '' } },
      'data: expected a non-empty string, got "" (LADING_DATA)',
    ],
    [
      'a number out of range',
      { argv: ['--port', '70000'] },
      'http.port: expected a whole number from 0 to 65535, got 70000 (--port)',
    ],
    [
      'an unknown driver',
      { argv: ['--metadata.driver', 'mysql'] },
      'metadata.driver: expected one of sqlite, postgres, got "mysql" (--metadata.driver)',
    ],
    [
      'a proxy that is no address',
      { env: { LADING_HTTP_TRUSTED_PROXIES: '10.0.0.0/33' } },
      'http.trustedProxies: expected a list of strings like 10.0.0.0/8, got ["10.0.0.0/33"] (LADING_HTTP_TRUSTED_PROXIES)',
    ],
    [
      'a number in a list',
      { files: yaml('http:\n  trustedProxies: [1]\n') },
      'http.trustedProxies: expected a list of strings like 10.0.0.0/8, got [1] (./lading.yaml)',
    ],
    [
      'a public address with a path',
      { env: { LADING_HTTP_PUBLIC_URL: 'https://example.com/registry' } },
      'http.publicUrl: expected a string like https://registry.example.com, got "https://example.com/registry" (LADING_HTTP_PUBLIC_URL)',
    ],
    [
      'a certificate without its key',
      { argv: ['--http.tls.cert', 'tls.crt'] },
      'http.tls.key: must be set together with http.tls.cert: set both or neither',
    ],
    [
      'a token that lives for less than a minute',
      { argv: ['--auth.tokenLifetimeMs', '1000'] },
      'auth.tokenLifetimeMs: expected a duration from 1m to 1d, like 90s or 24h (a plain number is in milliseconds), got 1000 (--auth.tokenLifetimeMs)',
    ],
    [
      'an administrator whose name could not own a repository',
      { argv: ['--admin.name', 'Admin'] },
      'admin.name: expected a string like admin, got "Admin" (--admin.name)',
    ],
    [
      'an endpoint that is no URL',
      { argv: ['--tracing.endpoint', 'localhost:4318'] },
      'tracing.endpoint: expected a string like http://127.0.0.1:4318/v1/traces, got "localhost:4318" (--tracing.endpoint)',
    ],
    ['a flag without its value', { argv: ['--data'] }, '--data needs a value'],
    ['a flag in place of a value', { argv: ['--data', '--port=1'] }, '--data needs a value'],
    ['a stray argument', { argv: ['now'] }, 'unexpected argument now'],
    ['a --config that is not there', { argv: ['--config', 'x.yaml'] }, '--config: file not found: x.yaml'],
    [
      'a postgres driver without url',
      { argv: ['--metadata.driver', 'postgres'] },
      'metadata.url: required with metadata.driver postgres; set it in the file or as LADING_METADATA_URL',
    ],
    [
      'a url for sqlite',
      { env: { LADING_METADATA_URL: url } },
      'metadata.url: allowed only with metadata.driver postgres (LADING_METADATA_URL)',
    ],
    [
      'an expiry of uploads below what a live one is noted at',
      { env: { LADING_UPLOADS_EXPIRE_AFTER_MS: '1' } },
      'uploads.expireAfterMs: expected a duration from 1m to 24d, like 90s or 24h (a plain number is in milliseconds), got 1 (LADING_UPLOADS_EXPIRE_AFTER_MS)',
    ],
    [
      'an expiry of uploads below the silence that a live one may keep',
      { env: { LADING_UPLOADS_EXPIRE_AFTER_MS: '60000', LADING_LIMITS_IDLE_TIMEOUT_MS: '60001' } },
      'uploads.expireAfterMs: must be at least limits.idleTimeoutMs (60001ms), because an upload may pause for that long',
    ],
    [
      'a ceiling that each refusal would take long to count',
      { env: { LADING_UPLOADS_MAX_SESSIONS: '4001' } },
      'uploads.maxSessions: expected a whole number from 1 to 4000, got 4001 (LADING_UPLOADS_MAX_SESSIONS)',
    ],
    [
      'an idle limit that a lost packet exceeds',
      { env: { LADING_LIMITS_IDLE_TIMEOUT_MS: '999' } },
      'limits.idleTimeoutMs: expected a duration from 1s to 24d, like 90s or 24h (a plain number is in milliseconds), got 999 (LADING_LIMITS_IDLE_TIMEOUT_MS)',
    ],
    [
      'a secret given twice',
      { env: { LADING_METADATA_URL: url, LADING_METADATA_URL_FILE: 'x' } },
      'LADING_METADATA_URL and LADING_METADATA_URL_FILE are both set: set only one of them',
    ],
    [
      'a secret file that is not there',
      { env: { LADING_METADATA_URL_FILE: 'x' } },
      'LADING_METADATA_URL_FILE: file not found: x',
    ],
    [
      'a _FILE for what is no secret',
      { env: { LADING_DATA_FILE: 'x' } },
      'unknown variable LADING_DATA_FILE; did you mean LADING_DATA?',
    ],
  ])('refuses %s', (_, given, fault) => {
    expect(faultsOf(given)).toEqual([fault])
  })

  test.each([
    ['LADING_ADMIN_PASSWORD', 'hunter2', 'admin.password: expected a string of at least 8 characters'],
    ['LADING_METRICS_TOKEN', 'hunter2', 'metrics.token: expected a string of at least 16 characters'],
  ])('G1: does not repeat the %s that it refuses', (name, value, message) => {
    const faults = faultsOf({ env: { [name]: value } })
    expect(faults).toEqual([expect.stringContaining(message)])
    expect(faults[0]).not.toContain(value)
  })

  test('does not repeat a secret that it refuses', () => {
    const faults = faultsOf({
      env: { LADING_METADATA_DRIVER: 'postgres', LADING_METADATA_URL: 'mysql://u:hunter2@db' },
    })
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain('metadata.url: expected a string like postgres://')
    expect(faults[0]).not.toContain('hunter2')
  })

  test('gives the position where a file is not valid YAML', () => {
    expect(faultsOf({ files: yaml('data: a\ndata: b\n') })[0]).toContain('line 2, column 1')
  })

  test('names a file that cannot be read', () => {
    const readFile = () => {
      throw new Error('EACCES: permission denied')
    }
    expect(() => loadConfig({ argv: [], env: {}, readFile })).toThrow('cannot read ./lading.yaml: EACCES')
  })
})

describe('configKeys', () => {
  test('have a description and unique names', () => {
    expect(configKeys.filter((key) => key.description === '')).toEqual([])
    const names = configKeys.flatMap((key) => [key.path, key.environment, ...key.flags])
    expect(new Set(names).size).toBe(names.length)
  })

  test('derive the variable from the path', () => {
    const environment = Object.fromEntries(configKeys.map((key) => [key.path, key.environment]))
    expect(environment).toMatchObject({
      data: 'LADING_DATA',
      'http.port': 'LADING_HTTP_PORT',
      'uploads.expireAfterMs': 'LADING_UPLOADS_EXPIRE_AFTER_MS',
    })
  })
})
