/** Writes the results: a table on stdout, and a JSON file. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { arch, cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'

import type { BenchOptions } from './options.ts'
import { spread } from './rounds.ts'
import type { ScenarioResult, Series } from './rounds.ts'

const busyClientCores = 0.9
const resultsFolder = join(import.meta.dirname, 'results')

/**
 * Formats one row per scenario: the subject's median and p99, the difference of the control rounds, and each peer with its ratio.
 */
export function formatTable(results: readonly ScenarioResult[]): string {
  const peers = [...new Set(results.flatMap((result) => result.peers.map((peer) => peer.name)))]
  const head = [
    'scenario',
    'unit',
    'subject (p99)',
    'CPU/op',
    'cores (client)',
    'control',
    ...peers.flatMap((name) => [name, 'ratio']),
  ]
  const rows = results.map((result) => [
    result.title,
    result.unit,
    figure(result.subject),
    cpu(result.subject),
    cores(result.subject),
    `${ratio(result.control, result.subject)} (${formatSpread(result)})`,
    ...peers.flatMap((name) => peerColumns(result, name)),
  ])
  const notes = results.flatMap((result) =>
    [...result.notes, ...clientLimits(result)].map((note) => `${result.title}: ${note}`),
  )
  return [...align([head, ...rows]), ...notes.map((note) => `note: ${note}`)].join('\n')
}

/** The resident size of each registry half a minute after the end, and its peak. */
export interface MemoryUse {
  readonly name: string
  readonly seededMiB: number
  readonly afterLoadMiB: number
  readonly idleMiB: number
  readonly peakMiB: number
}

export function formatMemory(uses: readonly MemoryUse[]): string {
  const head = ['RSS, MiB', 'seeded', 'after the load', '30 s later', 'peak']
  const rows = uses.map(({ name, seededMiB, afterLoadMiB, idleMiB, peakMiB }) => [
    name,
    ...[seededMiB, afterLoadMiB, idleMiB, peakMiB].map((size) => size.toFixed(0)),
  ])
  return align([head, ...rows]).join('\n')
}

interface Measurements {
  readonly results: readonly ScenarioResult[]
  readonly memory: readonly MemoryUse[]
}

/** Writes the results. Returns the path of the file. */
export function writeResults({ results, memory }: Measurements, options: BenchOptions): string {
  const { rounds, durationMs, connections, uploadBytes, downloadBytes, useWrk, from } = options
  const settings = { rounds, durationMs, connections, uploadBytes, downloadBytes, useWrk, from }
  const scenarios = results.map((result) => ({ ...result, ratios: ratios(result) }))
  return writeDocument(options.name ?? 'bench', { settings, scenarios, memory })
}

/** Writes the content with the time and the kind of machine. Returns the path of the file. */
export function writeDocument(name: string, content: Readonly<Record<string, unknown>>): string {
  const date = new Date().toISOString()
  const path = join(resultsFolder, `${date.slice(0, 10)}-${name}.json`)
  mkdirSync(resultsFolder, { recursive: true })
  const document = { date, machine: machine(), ...content }
  writeFileSync(path, `${JSON.stringify(document, (_key, value: unknown) => rounded(value), 2)}\n`)
  return path
}

/** Describes the machine by the properties that affect figures; none identifies it. */
function machine(): Record<string, string | number> {
  const processors = cpus()
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout
  return {
    cores: processors.length,
    processor: processors[0]?.model ?? 'unknown',
    architecture: arch(),
    memoryGiB: totalmem() / 1024 ** 3,
    kernel: release(),
    node: process.version,
    commit: commit.trim(),
  }
}

function ratios(result: ScenarioResult): Record<string, number> {
  const entries = [result.control, ...result.peers].map((series, index) => [
    index === 0 ? 'control' : series.name,
    result.subject.medianRate / series.medianRate,
  ])
  return Object.fromEntries(entries) as Record<string, number>
}

function peerColumns(result: ScenarioResult, name: string): string[] {
  const peer = result.peers.find((series) => series.name === name)
  return peer === undefined ? ['-', '-'] : [figure(peer), ratio(result.subject, peer)]
}

function figure({ medianRate, medianP99Ms, rates }: Series): string {
  const digits = medianRate < 100 ? 2 : 0
  const rate = medianRate.toLocaleString('en', { maximumFractionDigits: digits })
  return rates.length === 0 ? '-' : `${rate} (${medianP99Ms.toFixed(1)} ms)`
}

function cpu({ cpuMsPerOperation }: Series): string {
  return cpuMsPerOperation === undefined ? '-' : `${cpuMsPerOperation.toFixed(3)} ms`
}

function cores({ serverCores, clientCores }: Series): string {
  return `${serverCores?.toFixed(2) ?? '-'} (${clientCores.toFixed(2)})`
}

/** Returns warnings about the load generator, which has one thread: near one core, it may limit the rate. */
function clientLimits({ subject, peers }: ScenarioResult): readonly string[] {
  return [subject, ...peers]
    .filter(({ clientCores }) => clientCores >= busyClientCores)
    .map((series) => `${series.name}: the client may be the limit, cores ${cores(series)}`)
}

function ratio(series: Series, base: Series): string {
  return `${(series.medianRate / base.medianRate).toFixed(2)}x`
}

function formatSpread(result: ScenarioResult): string {
  const { slowest, fastest } = spread(result)
  return `${slowest.toFixed(2)}-${fastest.toFixed(2)}`
}

/** Pads columns to their widest cell; the first row sets their number. */
export function align(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function rounded(value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value
}
