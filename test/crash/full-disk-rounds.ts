/**
 * Runs every step with too little space of each kind. The step must succeed or fail with a helpful message, acknowledged content
 * must stay readable, and the same step must succeed as soon as there is space, without a restart.
 */
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'

import { expectError, expectStatus } from '../support/http/answers.ts'
import type { Answer } from '../support/http/client.ts'
import { cutLog, stretchLog } from '../support/faults/database-log.ts'
import type { Ballast } from '../support/faults/full-disk.ts'
import { fillDisk, takeInodes } from '../support/faults/full-disk.ts'
import { mountNew } from '../support/faults/loop-mount.ts'
import { findViolations, Ledger } from '../support/uploads/ledger.ts'
import { anImageManifest, pushImage } from '../support/content/manifests.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import { cleanData, compareData } from '../support/processes/stopped-data.ts'
import type { Attempt, Change, Step } from './full-disk-steps.ts'

/** The folders of the database and of the store, on one file system or on two. */
interface Folders {
  readonly database: string
  readonly store: string
}

export interface Scarcity {
  readonly name: string
  /** Whether the store has its own file system. */
  readonly isSplit?: boolean
  /** Uses the space that the registry would need. */
  take(folders: Folders): Promise<Ballast>
}

/** Leaves this many bytes on the one disk, with a log that needs new blocks or has free blocks. */
export function spaceLeft(bytes: number, log: 'cut' | 'stretched'): Scarcity {
  return {
    name: `${bytes / 1024} KiB left, log ${log}`,
    take({ database }) {
      if (log === 'cut') cutLog(database)
      else stretchLog(database)
      return fillDisk(database, bytes)
    },
  }
}

export const noInodes: Scarcity = {
  name: 'no inode left',
  take: ({ database }) => takeInodes(database),
}

export const storeFull: Scarcity = {
  name: 'store full, database on another disk',
  isSplit: true,
  take: ({ store }) => fillDisk(store, 0),
}

export const databaseFull: Scarcity = {
  name: 'database full, store on another disk',
  isSplit: true,
  take({ database }) {
    cutLog(database)
    return fillDisk(database, 0)
  },
}

export interface StepResult {
  readonly step: string
  readonly status: number
}

export interface ScarcityResult {
  readonly scarcity: string
  readonly steps: readonly StepResult[]
  /** How many paths were read correctly while there was no space. */
  readonly readings: number
}

const diskMiB = 64
/** The registry itself needs some hundreds. */
const inodes = 1024
const imageBytes = 1024 * 1024

/** Runs the steps. Throws at the first fault. */
export async function takeSteps(steps: readonly Step[], scarcity: Scarcity): Promise<ScarcityResult> {
  await using disk = await mountNew(diskMiB, inodes)
  await using storeDisk = scarcity.isSplit === true ? await mountNew(diskMiB, inodes) : disk
  const dataDir = join(disk.path, 'data')
  if (storeDisk !== disk) await linkStore(dataDir, storeDisk.path)
  await using registry = await startRegistry({ dataDir })
  const ledger = await anImageKept(registry)
  const round = { registry, ledger, scarcity, folders: { database: dataDir, store: storeDisk.path } }
  const results: StepResult[] = []
  let readings = 0
  for (const [index, step] of steps.entries()) {
    results.push(await takeStep(step, { ...round, base: `/v2/acme/step${index}` }))
    readings += ledger.paths.length
  }
  await registry.stop()
  await cleanData(dataDir)
  expectNothing(await compareData(dataDir), 'the stopped registry')
  return { scarcity: scarcity.name, steps: results, readings }
}

interface Round {
  readonly registry: RunningRegistry
  readonly ledger: Ledger
  readonly scarcity: Scarcity
  readonly folders: Folders
  readonly base: string
}

async function takeStep(
  step: Step,
  { registry, ledger, scarcity, folders, base }: Round,
): Promise<StepResult> {
  const { url } = registry
  const during = `${step.name}, ${scarcity.name}`
  const attempt = await step.prepare({ url, base, ledger })
  await using ballast = await scarcity.take(folders)
  const answer = await attempt.send()
  if (answer.status === attempt.success) settle(ledger, attempt.changes)
  else expectRefusal(answer, attempt, ledger)
  expectNothing(await findViolations(url, ledger), `${during}, without space`)
  await ballast.release()
  if (answer.status !== attempt.success) {
    expectStatus(await attempt.send(), attempt.success)
    settle(ledger, attempt.changes)
  }
  settle(ledger, (await attempt.complete?.()) ?? [])
  expectNothing(await findViolations(url, ledger), `${during}, with space again`)
  return { step: step.name, status: answer.status }
}

function settle(ledger: Ledger, changes: readonly Change[]): void {
  for (const { path, content } of changes) ledger.settle(path, content)
}

/** Expects a refusal, after which the earlier content is still right. */
function expectRefusal(answer: Answer, { changes }: Attempt, ledger: Ledger): void {
  expectError(answer, { status: 507, code: 'UNAVAILABLE', naming: ['no space left', 'free space'] })
  for (const { path } of changes) {
    const [before] = ledger.rightAnswers(path)
    ledger.settle(path, before)
  }
}

function expectNothing(problems: readonly string[], when: string): void {
  if (problems.length > 0) throw new Error(`${when}:\n${problems.join('\n')}`)
}

async function anImageKept({ url }: RunningRegistry): Promise<Ledger> {
  const ledger = new Ledger()
  const base = '/v2/acme/kept'
  const image = anImageManifest({ layerBytes: imageBytes })
  await pushImage(url + base, image, { reference: 'v1' })
  for (const { digest } of image.blobs) ledger.settle(`${base}/blobs/${digest}`, digest)
  for (const reference of ['v1', image.digest]) ledger.settle(`${base}/manifests/${reference}`, image.digest)
  return ledger
}

async function linkStore(dataDir: string, disk: string): Promise<void> {
  await mkdir(dataDir)
  await mkdir(join(disk, 'store'))
  await symlink(join(disk, 'store'), join(dataDir, 'store'))
}
