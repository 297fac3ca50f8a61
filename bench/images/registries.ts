/** The registries in the comparison: Lading, Distribution, and Lading with a user who logs in for every image. */
import { addUser, alice } from '../../test/clients/accounts.ts'
import type { Credentials } from '../../test/clients/run-client.ts'
import { tempFolder } from '../../test/support/processes/temp-folder.ts'
import { startDistribution, startLading } from '../peers.ts'
import type { Target } from '../target.ts'

export interface ImageRegistry {
  readonly id: 'lading' | 'distribution' | 'users'
  readonly title: string
  start(options: LadingOptions): Promise<StartedRegistry>
}

export interface LadingOptions {
  readonly from: 'source' | 'dist'
  readonly env: Readonly<Record<string, string>>
}

export interface StartedRegistry extends AsyncDisposable {
  readonly target: Target
  /** The owner, which precedes the repository's name. */
  readonly owner: string
  /** The login; `undefined`: anonymous may do everything. */
  readonly credentials?: Credentials
}

export const imageRegistries: readonly ImageRegistry[] = [
  { id: 'lading', title: 'Lading, anonymous', start: startAnonymousLading },
  { id: 'distribution', title: 'Distribution, anonymous', start: startAnonymousDistribution },
  { id: 'users', title: 'Lading, user and tokens', start: startLadingWithUser },
]

async function startAnonymousLading(options: LadingOptions): Promise<StartedRegistry> {
  const target = await startLading(options)
  return { target, owner: 'bench', [Symbol.asyncDispose]: () => target[Symbol.asyncDispose]() }
}

async function startAnonymousDistribution(): Promise<StartedRegistry> {
  const target = await startDistribution()
  return { target, owner: 'bench', [Symbol.asyncDispose]: () => target[Symbol.asyncDispose]() }
}

/** Starts Lading with a user, whose pushes are private, so that a pull needs the login, too. */
async function startLadingWithUser({ from, env }: LadingOptions): Promise<StartedRegistry> {
  await using cleanup = new AsyncDisposableStack()
  const dataDir = cleanup.use(await tempFolder('lading-data')).path
  const target = cleanup.use(
    await startLading({ from, env: { ...env, LADING_AUTH_ANONYMOUS: 'none' }, dataDir }),
  )
  await addUser({ dataDir }, alice)
  const kept = cleanup.move()
  return {
    target,
    owner: alice.name,
    credentials: alice,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
