/**
 * Kills the registry with `kill -9` at every call of one kind that a push makes, one call after the other, before and after the
 * call: the places between two steps that random kills rarely hit.
 */
import http from 'node:http'

import type { BlobPush } from '../support/uploads/blob-pushes.ts'
import { blobPushes, expectStatus } from '../support/uploads/blob-pushes.ts'
import { ask } from '../support/http/client.ts'
import type { KillPoint } from '../support/faults/kill-point.ts'
import { armKillPoint, startWithKillPoint } from '../support/faults/kill-point.ts'
import type { Content } from '../support/uploads/ledger.ts'
import { findViolations, Ledger } from '../support/uploads/ledger.ts'
import { anImageManifest } from '../support/content/manifests.ts'
import type { TestBlob } from '../support/content/random.ts'
import { aRandomBlob } from '../support/content/random.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import { cleanData, compareData } from '../support/processes/stopped-data.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'

export interface KillPointReport {
  /** The number of calls at which the process died. */
  readonly kills: number
  readonly acknowledged: number
  readonly checkedPaths: number
  /** The faults, as sentences. */
  readonly problems: readonly string[]
}

/** The most calls of one push; more mean that it does not end. */
const mostCalls = 200

/** Kills at each call until a whole push no longer reaches the call. */
export async function killAtEach(
  operation: KillPoint['operation'],
  moment: KillPoint['moment'],
): Promise<KillPointReport> {
  await using folder = await tempFolder('lading-kill-point')
  const dataDir = folder.path
  const ledger = new Ledger()
  const problems: string[] = []
  let kills = 0
  for (let count = 1; count <= mostCalls && problems.length === 0; count += 1) {
    await using registry = await startWithKillPoint({ dataDir }, { operation, count, moment })
    // Checks the state that the previous kill left.
    problems.push(...(await findViolations(registry.url, ledger)))
    await armKillPoint(registry)
    if (!(await diesDuringPush(registry, ledger, `/v2/acme/call${count}`))) break
    kills += 1
  }
  await cleanData(dataDir)
  problems.push(...(await compareData(dataDir)))
  await using registry = await startRegistry({ dataDir })
  problems.push(...(await findViolations(registry.url, ledger)))
  return { kills, acknowledged: ledger.acknowledged, checkedPaths: ledger.paths.length, problems }
}

async function diesDuringPush(registry: RunningRegistry, ledger: Ledger, base: string): Promise<boolean> {
  const agent = new http.Agent({ keepAlive: true })
  const pusher = new OnePush({ url: registry.url, base, agent }, ledger)
  try {
    await pusher.run()
    return false
  } catch (error) {
    if (!/ECONNRESET|ECONNREFUSED|EPIPE|socket hang up|connection closed/.test(String(error))) throw error
    await registry.exit
    return true
  } finally {
    agent.destroy()
  }
}

interface Target {
  readonly url: string
  /** `/v2/<repository>` */
  readonly base: string
  readonly agent: http.Agent
}

/** One push: a blob in each way, an image, its tag moved to a second image and deleted. */
class OnePush {
  readonly #target: Target
  readonly #ledger: Ledger

  constructor(target: Target, ledger: Ledger) {
    this.#target = target
    this.#ledger = ledger
  }

  async run(): Promise<void> {
    const blobs = blobPushes.map(() => aRandomBlob(5_000))
    for (const [index, push] of blobPushes.entries())
      await this.#pushBlob(push, blobs[index] ?? aRandomBlob())
    const [config = aRandomBlob(), ...layers] = blobs
    for (const word of ['first', 'second']) {
      const image = anImageManifest({ config, layers, annotations: { 'org.example.word': word } })
      const headers = { 'content-type': image.mediaType }
      const request = { method: 'PUT', path: 'manifests/moving', headers, body: image.bytes }
      await this.#change(request, 201, {
        [`manifests/${image.digest}`]: image.digest,
        'manifests/moving': image.digest,
      })
    }
    await this.#change({ method: 'DELETE', path: 'manifests/moving' }, 202, { 'manifests/moving': undefined })
  }

  async #pushBlob(push: BlobPush, blob: TestBlob): Promise<void> {
    const { url, base, agent } = this.#target
    const path = `${base}/blobs/${blob.digest}`
    this.#ledger.offer(path, blob.digest)
    expectStatus(await push({ repositoryUrl: url + base, agent }, blob), 201)
    this.#ledger.settle(path, blob.digest)
  }

  async #change(
    {
      path,
      ...request
    }: { method: string; path: string; headers?: http.OutgoingHttpHeaders; body?: Uint8Array },
    status: number,
    changes: Readonly<Record<string, Content>>,
  ): Promise<void> {
    const { url, base, agent } = this.#target
    const entries = Object.entries(changes).map(([at, content]) => [`${base}/${at}`, content] as const)
    for (const [at, content] of entries) this.#ledger.offer(at, content)
    expectStatus(await ask(`${url}${base}/${path}`, { ...request, agent }), status)
    for (const [at, content] of entries) this.#ledger.settle(at, content)
  }
}
