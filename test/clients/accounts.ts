/** Users and repositories of a running registry, administered as an operator does it: with commands. */
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import { runLading } from '../support/processes/run-lading.ts'
import type { Credentials } from './run-client.ts'

type Administered = Pick<RunningRegistry, 'dataDir'>

export const alice: Credentials = { name: 'alice', password: 'the password of alice' }
export const bob: Credentials = { name: 'bob', password: 'the password of bob' }

/** Starts a registry with the users alice and bob; anonymous may pull public repositories, as by default. */
export async function startWithUsers(env: Readonly<Record<string, string>> = {}): Promise<RunningRegistry> {
  const registry = await startRegistry({ env: { LADING_AUTH_ANONYMOUS: 'pull', ...env } })
  for (const user of [alice, bob]) await addUser(registry, user)
  return registry
}

export async function addUser(registry: Administered, { name, password }: Credentials): Promise<void> {
  await administer(registry, `user add ${name} --password-stdin`, password)
}

export async function setVisibility(
  registry: Administered,
  repository: string,
  visibility: 'public' | 'private',
): Promise<void> {
  await administer(registry, `repository set ${repository} --visibility ${visibility}`)
}

async function administer({ dataDir }: Administered, line: string, stdin = ''): Promise<void> {
  const { code, out, err } = await runLading(line, { env: { LADING_DATA: dataDir }, stdin })
  if (code !== 0) throw new Error(`lading ${line} ended with ${code}:\n${out}${err}`)
}
