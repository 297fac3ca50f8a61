/**
 * The services for commands that can run while a server runs: the database and the identity services on top of it, opened in this
 * process. Nothing here upgrades a database under a running server.
 */
import { existsSync } from 'node:fs'
import { createAuthOptions } from '../../app/auth-options.ts'
import { databaseFile } from '../../app/data-folder.ts'
import { openAudit, type OpenAudit } from '../../app/open-audit.ts'
import { openMetadata } from '../../app/open-metadata.ts'
import type { AccessTokens } from '../../identity/access-tokens/access-tokens.ts'
import type { Accounts } from '../../identity/accounts/accounts.ts'
import { operator, type Actor } from '../../identity/actor.ts'
import { createAuth, type RefreshTokens } from '../../auth.ts'
import { generatePassword } from '../../identity/accounts/first-administrator.ts'
import type { Robots } from '../../identity/accounts/robots.ts'
import type { Sessions } from '../../identity/sessions/sessions.ts'
import type { RightsServices } from '../../access/open-rights.ts'
import type { SigningKeys } from '../../identity/tokens/signing-keys.ts'
import type { Config } from '../../config/schema.ts'
import { systemClock } from '../../lib/clock.ts'
import { systemUser } from '../../lib/system-user.ts'
import { MetadataTooNew } from '../../metadata/errors.ts'
import { acceptStore, findInstallation } from '../../metadata/system/installation.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import { readMigrationState } from '../../metadata/migrations/migrate.ts'
import { openOrganizations } from '../../organizations/open-organizations.ts'
import type { Organizations } from '../../organizations/open-organizations.ts'
import { CliError } from '../frame/command.ts'
import type { CliHost } from '../frame/command.ts'
import { createHostLogger } from './host-logger.ts'

export interface Services extends AsyncDisposable, RightsServices, Organizations {
  /** The operating system user who runs the command, for the audit. */
  readonly actor: Actor
  readonly audit: OpenAudit
  readonly accounts: Accounts
  readonly keys: SigningKeys
  readonly refreshTokens: RefreshTokens
  readonly accessTokens: AccessTokens
  readonly robots: Robots
  readonly sessions: Sessions
  generatePassword(): string
  /**
   * Accepts the content of the store, whose marker names `owner`. Returns `undefined` if the database never had a store. Throws
   * `CliError` if the store belongs to another installation.
   */
  readonly acceptStore: (actor: Actor, owner: string | undefined) => Promise<AcceptedStore | undefined>
}

export interface AcceptedStore {
  readonly installation: string
  /** Milliseconds since the epoch. */
  readonly acceptedAt: number
}

/** Throws `CliError` if the database is missing or needs an upgrade, `MetadataTooNew` if a newer version wrote it. */
export async function openServices(config: Config, host: CliHost): Promise<Services> {
  requireDatabase(config)
  const clock = systemClock
  await using stack = new AsyncDisposableStack()
  const metadata = stack.use(
    await openMetadata(config, { clock, logger: createHostLogger(host), upgrade: false }),
  )
  await requireCurrent(metadata)
  const onError = (error: unknown): void => host.err(`warning: ${String(error)}`)
  const audit = stack.use(openAudit({ metadata, clock, onError }))
  const auth = createAuth({
    metadata,
    clock,
    ...(host.passwords && { passwords: host.passwords }),
    // Commands issue no bearer tokens.
    installationId: (await findInstallation(metadata.reader)) ?? '',
    ...createAuthOptions(config),
    audit,
    onError,
  })
  stack.use(auth)
  const { accounts, keys, refreshTokens, accessTokens, robots, sessions, grants, roles, access } = auth
  const resources = stack.move()
  return {
    actor: operator(systemUser()),
    audit,
    accounts,
    keys,
    refreshTokens,
    accessTokens,
    robots,
    sessions,
    grants,
    roles,
    access,
    ...openOrganizations({ metadata, clock, audit }),
    generatePassword,
    acceptStore: (actor, owner) => accept({ metadata, audit }, actor, owner),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

function accept(
  { metadata, audit }: { readonly metadata: Metadata; readonly audit: OpenAudit },
  actor: Actor,
  owner: string | undefined,
): Promise<AcceptedStore | undefined> {
  const acceptedAt = systemClock.now()
  return metadata.transact(async (tx) => {
    const installation = await acceptStore(tx, acceptedAt)
    if (installation === undefined) return undefined
    if (owner !== installation) throw notTogether(installation, owner)
    await audit.change(tx, actor, { action: 'store.accept', outcome: 'done' })
    return { installation, acceptedAt }
  })
}

function notTogether(installation: string, owner: string | undefined): CliError {
  const fault = owner === undefined ? 'has no installation id' : `belongs to installation ${owner}`
  return new CliError(
    `the database belongs to installation ${installation}, but the store ${fault}: set data and metadata.url to a database and a store that belong together`,
  )
}

export function hasDatabase(config: Config): boolean {
  return config.metadata.driver !== 'sqlite' || existsSync(databaseFile(config))
}

/** Throws `CliError` if the database is missing, so that a mistyped folder does not become an empty registry. */
export function requireDatabase(config: Config): void {
  if (hasDatabase(config)) return
  throw new CliError(
    `data: there is no database in ${config.data}; name the folder of the registry with --data or LADING_DATA, or create one with lading serve or lading migrate`,
  )
}

/** Throws `CliError` if the database needs an upgrade, `MetadataTooNew` if a newer version wrote it. */
export async function requireCurrent(metadata: Metadata): Promise<void> {
  const { pending, unknown } = await readMigrationState(metadata.reader)
  if (unknown.length > 0) throw new MetadataTooNew(unknown)
  if (pending.length === 0) return
  throw new CliError(
    `the schema of the database is older than this version and lacks ${pending.join(', ')}; stop the server and run lading migrate, or start this version of lading serve`,
  )
}
