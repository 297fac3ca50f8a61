/**
 * @module The whole registry inside the test's process: SQLite and files in a temporary folder, a free port, a clock that tests
 * can advance. Everyone may push, unless the test configures otherwise. An error in its log fails the test that uses it, whatever
 * the status of the response.
 */
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { createApp, type App, type AppDeps } from '../../../src/app.ts'
import { createPasswordHasher } from '../../../src/identity/passwords/password-hash.ts'
import { configSchema, type ConfigInput } from '../../../src/config/schema.ts'
import type { Clock } from '../../../src/lib/clock.ts'
import { createLogger } from '../../../src/telemetry/logger.ts'
import { aRepositoryName } from '../content/random.ts'
import { tempFolder } from '../processes/temp-folder.ts'
import { createTestDatabase } from './test-database.ts'

/** Sections of the configuration, merged with their defaults. */
export interface InProcessSections extends Pick<
  ConfigInput,
  | 'http'
  | 'metadata'
  | 'storage'
  | 'delete'
  | 'references'
  | 'uploads'
  | 'limits'
  | 'auth'
  | 'repository'
  | 'metrics'
  | 'tracing'
> {
  readonly deps?: Partial<AppDeps>
  /** The data folder of an earlier registry, which is kept on dispose. */
  readonly dataDir?: string
}

export interface InProcessRegistry extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, no slash at the end. */
  readonly url: string
  readonly app: App
  readonly dataDir: string
  readonly clock: Clock
  /** Advances the clock; timers of Node are not affected. */
  advance(ms: number): void
  /** Returns the URL of a repository that no test has used yet. */
  repository(): string
}

/** Starts on a free port. Disposing stops it and throws when it logged an error. */
export async function startInProcess(sections: InProcessSections = {}): Promise<InProcessRegistry> {
  const { deps, dataDir: givenDir, ...config } = sections
  await using stack = new AsyncDisposableStack()
  const faults: string[] = []
  stack.defer(() => refuseFaults(faults))
  const folder = stack.use(await tempFolder())
  const dataDir = givenDir ?? join(folder.path, 'data')
  const database = stack.use(await createTestDatabase())
  let ahead = 0
  const clock: Clock = { now: () => Date.now() + ahead }
  const app = await createApp(
    configSchema.parse({
      metadata: database.metadata,
      ...config,
      auth: { anonymous: 'push', ...config.auth },
      data: dataDir,
      http: { ...config.http, port: 0 },
    }),
    {
      logger: createLogger({ level: 'error', destination: { write: (line) => void faults.push(line) } }),
      clock,
      monotonic: { now: () => performance.now() + ahead },
      auth: { passwords: createPasswordHasher({ cost: { memoryKib: 64, passes: 1 } }) },
      ...deps,
    },
  )
  stack.use(app)
  const resources = stack.move()
  return {
    url: app.url,
    app,
    dataDir,
    clock,
    advance: (ms) => void (ahead += ms),
    repository: () => `${app.url}/v2/${aRepositoryName()}`,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** Shares one registry among all tests of a file or a `describe`; usable only inside tests and hooks. */
export function shareRegistry(
  sections: InProcessSections = {},
): Omit<InProcessRegistry, keyof AsyncDisposable> {
  let started: InProcessRegistry | undefined
  const get = (): InProcessRegistry => {
    if (started === undefined) throw new Error('the shared registry runs inside tests only')
    return started
  }
  beforeAll(async () => {
    started = await startInProcess(sections)
  })
  afterAll(async () => {
    await started?.[Symbol.asyncDispose]()
  })
  return {
    get url() {
      return get().url
    },
    get app() {
      return get().app
    },
    get dataDir() {
      return get().dataDir
    },
    get clock() {
      return get().clock
    },
    advance: (ms) => get().advance(ms),
    repository: () => get().repository(),
  }
}

function refuseFaults(faults: readonly string[]): void {
  if (faults.length > 0) throw new Error(`the registry logged faults:\n${faults.join('')}`)
}
