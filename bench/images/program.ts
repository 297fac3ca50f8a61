/**
 * @module `npm run bench -- images`: parallel processes of real clients push images of five layers and pull them back, with every
 * digest and every byte compared; measures the cost beside Distribution in the same run. See README.md.
 */
import { parseArgs } from 'node:util'

import { environment, positive } from '../options.ts'
import { align, writeDocument } from '../report.ts'
import { median } from '../sample.ts'
import type { ImageClient } from './clients.ts'
import { chooseClients, versionOf } from './clients.ts'
import type { ImageLoad, ImageRun } from './measure.ts'
import { measureImages } from './measure.ts'
import type { ImageRegistry } from './registries.ts'
import { imageRegistries } from './registries.ts'

export interface ImageComparison extends ImageLoad {
  readonly rounds: number
  readonly registries: readonly ImageRegistry[]
}

export const defaultComparison: ImageComparison = {
  images: 500,
  processes: 8,
  clients: chooseClients([]),
  rounds: 2,
  registries: imageRegistries,
  from: 'dist',
  env: {},
}

export const imagesUsage = `npm run bench -- images [options]
  --images <n>              how many (default 500)
  --processes <n>           client processes at a time (default 8)
  --client skopeo|crane     who pushes and pulls (repeatable; default: skopeo and, where .tools/bin/crane is, crane)
  --registry <id>           lading, distribution or users (repeatable; default all)
  --rounds <n>              each registry's turns, with fresh images and an empty store (default 2)
  --env, --from, --name     as above`

/** Runs the program. Returns the exit code: 1 when an image came back changed. */
export async function imagesProgram(args: readonly string[]): Promise<number> {
  const { name, ...comparison } = parseImageOptions(args)
  const versions = await versionsOf(comparison.clients)
  const runs = await compareImages(comparison)
  console.log(`\n${versions.join(', ')}\n${formatRuns(runs)}`)
  if (name !== undefined) {
    const { images, processes, rounds, from } = comparison
    const settings = { images, processes, rounds, from, clients: versions }
    console.log(`\nkept in ${writeDocument(name, { settings, runs })}`)
  }
  return runs.every(({ problems }) => problems.length === 0) ? 0 : 1
}

export async function versionsOf(clients: readonly ImageClient[]): Promise<readonly string[]> {
  return await Promise.all(clients.map(versionOf))
}

/** Measures in rounds, with an order of the registries that rotates. */
export async function compareImages(comparison: ImageComparison): Promise<readonly ImageRun[]> {
  const { rounds, registries } = comparison
  const runs: ImageRun[] = []
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < registries.length; turn += 1) {
      const registry = registries[(round + turn) % registries.length]
      if (registry === undefined) continue
      runs.push(await measureImages(registry, comparison))
      console.error(formatRuns(runs.slice(-1)))
    }
  }
  return runs
}

/** Formats one row per registry: the medians of its turns, and each server's time relative to Distribution's. */
export function formatRuns(runs: readonly ImageRun[]): string {
  const head = [
    'registry',
    'push',
    'server CPU',
    'clients CPU',
    'sync after',
    'pull',
    'server CPU',
    'clients CPU',
    'peak RSS',
    'intact',
  ]
  const rows = imageRegistries
    .map(({ id }) => runs.filter(({ registry }) => registry === id))
    .filter((turns) => turns.length > 0)
    .map(formatTurns)
  const problems = runs.flatMap(({ title, problems: found }) => found.map((one) => `${title}: ${one}`))
  return [...align([head, ...rows]), ...problems.slice(0, 20)].join('\n')
}

function formatTurns(turns: readonly ImageRun[]): string[] {
  const middle = (pick: (run: ImageRun) => number): number => median(turns.map(pick))
  const seconds = (pick: (run: ImageRun) => number): string => `${middle(pick).toFixed(1)} s`
  return [
    turns[0]?.title ?? '',
    seconds(({ push }) => push.wallSeconds),
    seconds(({ push }) => push.serverCpuSeconds),
    seconds(({ push }) => push.clientCpuSeconds),
    seconds(({ flushSeconds }) => flushSeconds),
    seconds(({ pull }) => pull.wallSeconds),
    seconds(({ pull }) => pull.serverCpuSeconds),
    seconds(({ pull }) => pull.clientCpuSeconds),
    `${middle(({ peakRssMiB }) => peakRssMiB).toFixed(0)} MiB`,
    turns.map(({ intact }) => intact).join(', '),
  ]
}

function parseImageOptions(args: readonly string[]): ImageComparison & { readonly name: string | undefined } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      images: { type: 'string', default: '500' },
      processes: { type: 'string', default: '8' },
      client: { type: 'string', multiple: true, default: [] },
      registry: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string', default: '2' },
      env: { type: 'string', multiple: true, default: [] },
      from: { type: 'string', default: 'dist' },
      name: { type: 'string' },
    },
  })
  if (values.from !== 'dist' && values.from !== 'source') throw new Error('--from is dist or source')
  return {
    images: positive('--images', values.images),
    processes: positive('--processes', values.processes),
    clients: chooseClients(values.client),
    registries: chooseRegistries(values.registry),
    rounds: positive('--rounds', values.rounds),
    env: environment(values.env),
    from: values.from,
    name: values.name,
  }
}

function chooseRegistries(ids: readonly string[]): readonly ImageRegistry[] {
  const unknown = ids.filter((id) => !imageRegistries.some((registry) => registry.id === id))
  if (unknown.length > 0)
    throw new Error(`--registry is lading, distribution or users, not ${unknown.join()}`)
  return ids.length === 0 ? imageRegistries : imageRegistries.filter(({ id }) => ids.includes(id))
}
