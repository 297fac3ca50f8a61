/**
 * Measures one registry with new images: parallel client processes push all of them and pull them back into empty folders, then
 * all are compared.
 */
import { join } from 'node:path'

import { run } from '../../scripts/run-command.ts'
import { tempFolder } from '../../test/support/processes/temp-folder.ts'
import { inParallel } from '../load/in-parallel.ts'
import { ownCpuSeconds, peakRssMiB, processCost } from '../process-stats.ts'
import type { ClientEnvironment, ImageClient } from './clients.ts'
import { clientHome, runImageClient } from './clients.ts'
import type { BenchImage } from './content.ts'
import { writeImages } from './content.ts'
import type { ImageRegistry, LadingOptions, StartedRegistry } from './registries.ts'
import { findDifferences } from './verify.ts'

export interface ImageLoad extends LadingOptions {
  readonly images: number
  readonly processes: number
  /** The clients; each gets the same number of images. */
  readonly clients: readonly ImageClient[]
}

export interface Phase {
  readonly wallSeconds: number
  readonly serverCpuSeconds: number
  /** The CPU time of all client processes, including this one. */
  readonly clientCpuSeconds: number
}

export interface ImageRun {
  readonly registry: ImageRegistry['id']
  readonly title: string
  readonly contentMiB: number
  readonly push: Phase
  /** The duration of `sync` after the push: the time for acknowledged bytes that were not yet on the disk. */
  readonly flushSeconds: number
  readonly pull: Phase
  readonly peakRssMiB: number
  /** The number of images that came back unchanged, in every digest and every byte. */
  readonly intact: number
  readonly problems: readonly string[]
}

const mebibyte = 1024 * 1024

export async function measureImages(registry: ImageRegistry, load: ImageLoad): Promise<ImageRun> {
  await using folder = await tempFolder('lading-images')
  const images = await writeImages(join(folder.path, 'sent'), load.images)
  await using started = await registry.start(load)
  const { pid } = started.target
  if (pid === undefined) throw new Error(`${registry.title} has no process on this machine`)
  const work: Work = { ...load, images, started, folder: folder.path, pid }
  await run(['sync'], { capture: true })
  const push = await measurePhase(work, 'push')
  const flushStartedAt = performance.now()
  await run(['sync'], { capture: true })
  const flushSeconds = secondsSince(flushStartedAt)
  const pull = await measurePhase(work, 'pull')
  const peak = peakRssMiB(pid)
  const differences: (readonly string[])[] = []
  for (const [index, image] of images.entries()) {
    differences.push(await findDifferences(image, pulledLayout(work, index)))
  }
  return {
    registry: registry.id,
    title: registry.title,
    contentMiB: images.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / mebibyte,
    push,
    flushSeconds,
    pull,
    peakRssMiB: peak,
    intact: differences.filter((problems) => problems.length === 0).length,
    problems: differences.flat(),
  }
}

interface Work extends Pick<ImageLoad, 'clients' | 'processes'> {
  readonly images: readonly BenchImage[]
  readonly started: StartedRegistry
  readonly folder: string
  readonly pid: number
}

/** Measures one phase. Each phase has new homes, so that no pull knows the pushed content. */
async function measurePhase(work: Work, phase: 'push' | 'pull'): Promise<Phase> {
  const homes = await openHomes(work, phase)
  const server = processCost(work.pid)
  const clients = ownCpuSeconds()
  const startedAt = performance.now()
  await inParallel(work.images, work.processes, async (image, { index, worker }) => {
    await runImageClient(commandOf(work, phase, { image, index }), homes[worker] ?? {})
  })
  const wallSeconds = secondsSince(startedAt)
  const serverAfter = processCost(work.pid)
  if (server === undefined || serverAfter === undefined) throw new Error('the registry has ended')
  return {
    wallSeconds,
    serverCpuSeconds: serverAfter.cpuSeconds - server.cpuSeconds,
    clientCpuSeconds: ownCpuSeconds() - clients,
  }
}

async function openHomes(work: Work, phase: string): Promise<readonly ClientEnvironment[]> {
  const { credentials, target } = work.started
  const login = credentials === undefined ? undefined : { host: new URL(target.url).host, credentials }
  const folders = Array.from({ length: work.processes }, (_, worker) =>
    join(work.folder, `home-${phase}-${worker}`),
  )
  return await Promise.all(folders.map((folder) => clientHome(folder, login)))
}

function commandOf(
  work: Work,
  phase: 'push' | 'pull',
  { image, index }: { readonly image: BenchImage; readonly index: number },
): readonly string[] {
  // In pairs: of two consecutive images, only one builds upon a base.
  const client = work.clients[Math.floor(index / 2) % work.clients.length]
  if (client === undefined) throw new Error('no client was chosen')
  const { host } = new URL(work.started.target.url)
  const name = `${host}/${work.started.owner}/${image.repository}:${image.tag}`
  return phase === 'push' ? client.push(image.layout, name) : client.pull(name, pulledLayout(work, index))
}

function pulledLayout({ folder }: Work, index: number): string {
  return join(folder, `pulled-${index}`)
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1000
}
