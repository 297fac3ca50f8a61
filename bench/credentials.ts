/**
 * @module `npm run bench -- --auth`: the cost of authentication. One Lading serves the same public repository to anonymous, to a
 * user with Basic on every request, and to that user with a bearer token, in alternating rounds.
 */
import { ask } from '../test/support/http/client.ts'
import { runLading } from '../test/support/processes/run-lading.ts'
import { tempFolder } from '../test/support/processes/temp-folder.ts'
import { addGrants } from './grant-rows.ts'
import type { BenchOptions } from './options.ts'
import { startLading } from './peers.ts'
import { percentile } from './sample.ts'
import type { CredentialCost, ScenarioResult } from './rounds.ts'
import { seed } from './seed.ts'
import type { SeededTarget } from './target.ts'
import { seedRepository } from './target.ts'

export const credentialScenarios = ['manifest-get', 'manifest-head', 'blob-head', 'blob-get', 'tags']

/** The largest allowed slowdown, compared with anonymous. */
const goals = new Map([
  ['Basic', 0.2],
  ['bearer', 0.1],
])

export interface CredentialTargets extends AsyncDisposable {
  readonly anonymous: SeededTarget
  /** The target with Basic, and with a bearer token. */
  readonly users: readonly SeededTarget[]
}

/**
 * Seeds the registry while everyone may push, so that the repository is public, then restarts it with the default rights. The
 * user is neither the owner of the repository nor an administrator, so every request reads the account and the rights, among
 * 10,000 grants.
 */
export async function startWithCredentials(
  options: Pick<BenchOptions, 'from' | 'env'>,
): Promise<CredentialTargets> {
  await using cleanup = new AsyncDisposableStack()
  const dataDir = cleanup.use(await tempFolder('lading-data')).path
  const open = await startLading({ ...options, dataDir })
  const seeded = await seed(open, { largeBytes: 1024 * 1024, smallBlobs: false })
  await open[Symbol.asyncDispose]()
  const password = 'correct horse battery'
  await addReader(dataDir, password)
  addGrants(dataDir, 'reader')
  const env = { ...options.env, LADING_AUTH_ANONYMOUS: 'pull', LADING_AUTH_TOKEN_LIFETIME_MS: '86400000' }
  const { url, pid } = cleanup.use(await startLading({ from: options.from, env, dataDir }))
  const basic = `Basic ${Buffer.from(`reader:${password}`).toString('base64')}`
  const bearer = await getBearer(url, basic)
  const kept = cleanup.move()
  return {
    anonymous: { ...seeded, url, pid, name: 'anonymous' },
    users: [
      { ...seeded, url, pid, name: 'Basic', authorization: basic },
      { ...seeded, url, pid, name: 'bearer', authorization: bearer },
    ],
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/**
 * Computes the costs. A goal is also met when the machine alone makes a larger difference than the credential: more than a
 * quarter of the rounds of the subject and its control are further below their median.
 */
export function costsOf(result: ScenarioResult): CredentialCost[] {
  const { subject, control } = result
  const rates = Float64Array.from([...subject.rates, ...control.rates]).sort()
  const noise = 1 - percentile(rates, 0.25) / percentile(rates, 0.5)
  return result.peers.map(({ name, medianRate, cpuMsPerOperation: cpu }) => {
    const goal = goals.get(name) ?? 0
    const ofAnonymous = medianRate / subject.medianRate
    const base = subject.cpuMsPerOperation
    const cpuOfAnonymous = cpu === undefined || base === undefined ? undefined : cpu / base
    const holds = 1 - ofAnonymous <= Math.max(goal, noise)
    return { name, ofAnonymous, cpuOfAnonymous, goal, holds }
  })
}

export function formatCosts(results: readonly ScenarioResult[]): string {
  const lines = results.flatMap((result) =>
    costsOf(result).map(({ name, ofAnonymous, cpuOfAnonymous, goal, holds }) => {
      const figures = `${ofAnonymous.toFixed(2)}x of anonymous (CPU ${cpuOfAnonymous?.toFixed(2) ?? '-'}x)`
      return `${result.title}: ${name} is ${figures}, goal ${(1 - goal).toFixed(2)}x: ${holds ? 'holds' : 'MISSED'}`
    }),
  )
  return lines.join('\n')
}

async function addReader(dataDir: string, password: string): Promise<void> {
  const { code, err } = await runLading('user add reader --password-stdin', {
    env: { LADING_DATA: dataDir },
    stdin: password,
  })
  if (code !== 0) throw new Error(`the user was not created: ${err}`)
}

async function getBearer(url: string, authorization: string): Promise<string> {
  const path = `/v2/token?service=lading&scope=repository:${seedRepository}:pull`
  const answer = await ask(`${url}${path}`, { headers: { authorization } })
  if (answer.status !== 200) throw new Error(`the token was refused: ${answer.status} ${answer.text()}`)
  return `Bearer ${(answer.json() as { token: string }).token}`
}
