/**
 * The identity services on real parts: the database of `test-database.ts` or a given one, cheap password hashes and a throttle
 * that never sleeps.
 */
import { join } from 'node:path'
import { createAudit, type Audit } from '../../../src/audit/audit.ts'
import { createAuth, type Auth, type AuthDeps } from '../../../src/auth.ts'
import { createPasswordHasher } from '../../../src/identity/passwords/password-hash.ts'
import { ensureInstallation } from '../../../src/metadata/system/installation.ts'
import type { Metadata } from '../../../src/metadata/metadata.ts'
import { createTestClock, type TestClock } from './open-registry.ts'
import { tempFolder } from '../processes/temp-folder.ts'
import { openTestMetadata } from './test-database.ts'
import { tester } from './tester.ts'

export interface OpenAuth extends AsyncDisposable {
  readonly auth: Auth
  readonly metadata: Metadata
  readonly clock: TestClock
  readonly audit: Audit
  /** The folder that holds the database and the first administrator's password. */
  readonly folder: string
  /** Returns how many passwords were hashed, for any purpose. */
  hashes(): number
  /** How long each login was delayed, in milliseconds. */
  readonly delays: readonly number[]
  /** Opens the services a second time on the same database, like another process. */
  openSecond(): Promise<Auth>
}

export const origin = { address: '192.0.2.1', client: 'test' }
export const installationId = 'installation-1'

export async function openAuth(options: Partial<AuthDeps> = {}): Promise<OpenAuth> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder())
  const clock = createTestClock()
  const faults: unknown[] = []
  stack.defer(() => {
    if (faults.length > 0) throw faults[0]
  })
  const onError = (error: unknown): void => void faults.push(error)
  const file = join(folder.path, 'lading.db')
  const given = options.metadata
  const opened =
    given === undefined
      ? stack.use(await openTestMetadata({ file, clock, onFatal: onError }))
      : { metadata: stack.use(given), openSecond: () => Promise.resolve(given) }
  const { metadata } = opened
  await metadata.transact((tx) => ensureInstallation(tx, { id: installationId, now: clock.now() }))
  const audit = stack.use(createAudit({ metadata, clock, onError }))
  let hashes = 0
  const delays: number[] = []
  const open = (over: Metadata): Auth =>
    createAuth({
      metadata: over,
      clock,
      installationId,
      anonymous: 'pull',
      newRepositoryVisibility: 'private',
      tokenLifetimeMs: 15 * 60_000,
      refreshTokens: true,
      selfRegistration: false,
      initialPasswordFile: join(folder.path, 'admin-password'),
      sessionIdleMs: 12 * 60 * 60_000,
      sessionLifetimeMs: 7 * 24 * 60 * 60_000,
      audit,
      onError,
      passwords: createPasswordHasher({
        cost: { memoryKib: 8, passes: 1 },
        onHash: () => void (hashes += 1),
      }),
      throttle: { sleep: (ms) => Promise.resolve(void delays.push(ms)) },
      ...options,
    })
  const auth = stack.use(open(metadata))
  const resources = stack.move()
  return {
    auth,
    metadata,
    clock,
    audit,
    folder: folder.path,
    hashes: () => hashes,
    delays,
    openSecond: async () => resources.use(open(await opened.openSecond())),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

export function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
}

export const bobsPassword = 'correct horse battery'

/** Adds a user `bob` and an administrator `root`, both with the same password. */
export async function addUsers({ auth }: OpenAuth): Promise<void> {
  await auth.accounts.add({ name: 'root', password: bobsPassword, isAdmin: true }, tester)
  await auth.accounts.add({ name: 'bob', password: bobsPassword, isAdmin: false }, tester)
}

/** With the users of `addUsers`. */
export async function openAuthWithUsers(options: Partial<AuthDeps> = {}): Promise<OpenAuth> {
  await using stack = new AsyncDisposableStack()
  const open = stack.use(await openAuth(options))
  await addUsers(open)
  stack.move()
  return open
}
