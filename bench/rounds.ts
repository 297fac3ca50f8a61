/**
 * @module Measures one scenario in alternating rounds: each round measures every registry once, in an order that rotates, so that
 * a slow minute of the machine affects all of them. The subject is measured twice per round; the difference of its two series
 * (`control`) is the effect of the machine alone on a ratio.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { run } from '../scripts/run-command.ts'
import { ownCpuSeconds, processCost } from './process-stats.ts'
import { median } from './sample.ts'
import type { Sample } from './sample.ts'
import type { LoadSettings, Scenario } from './scenarios.ts'
import type { SeededTarget } from './target.ts'

export interface Series {
  readonly name: string
  /** The rates, one per round, in the scenario's unit. */
  readonly rates: readonly number[]
  readonly medianRate: number
  readonly medianP50Ms: number
  readonly medianP99Ms: number
  /** Server CPU time per request, image or transfer; undefined for a server on another machine. */
  readonly cpuMsPerOperation: number | undefined
  /** The number of cores that the server kept busy. `undefined` as above. */
  readonly serverCores: number | undefined
  /** The number of cores that the load generator kept busy: at 1 it may limit the rate. */
  readonly clientCores: number
  /** Resident size after the last round. */
  readonly rssMiB: number | undefined
}

export interface ScenarioResult {
  readonly id: string
  readonly title: string
  readonly unit: Scenario['unit']
  readonly subject: Series
  readonly control: Series
  readonly peers: readonly Series[]
  /** The registries that were left out, and why. */
  readonly notes: readonly string[]
  /** The costs of credentials, in a run that compares them. */
  readonly credentials?: readonly CredentialCost[]
}

export interface CredentialCost {
  readonly name: string
  /** The rate with the credential divided by the rate without; 1 means no cost. */
  readonly ofAnonymous: number
  /** The server's CPU time with the credential divided by that without; it does not include the load generator. */
  readonly cpuOfAnonymous: number | undefined
  /** The largest allowed slowdown. */
  readonly goal: number
  readonly holds: boolean
}

export interface RoundsOptions {
  readonly subject: SeededTarget
  readonly peers: readonly SeededTarget[]
  readonly rounds: number
  readonly settings: LoadSettings
}

interface Measured extends Sample {
  readonly seconds: number
  readonly cpuSeconds: number | undefined
  readonly clientCpuSeconds: number
}

const pauseMs = 100

/** Returns the slowest and the fastest single round of the subject and its control, relative to the subject's median. */
export function spread({ subject, control }: ScenarioResult): { slowest: number; fastest: number } {
  const rates = [...subject.rates, ...control.rates].map((rate) => rate / subject.medianRate)
  return { slowest: Math.min(...rates), fastest: Math.max(...rates) }
}

/** Measures one scenario. Throws when the subject fails; a peer that fails is left out with a note. */
export async function measureScenario(scenario: Scenario, options: RoundsOptions): Promise<ScenarioResult> {
  const { subject, rounds, settings } = options
  const notes: string[] = []
  const peers: SeededTarget[] = []
  const reason = await whyNot(scenario, subject, warmUp(settings))
  if (reason !== undefined) throw new Error(`${subject.name}: ${reason}`)
  for (const peer of options.peers) {
    const problem = await whyNot(scenario, peer, warmUp(settings))
    if (problem === undefined) peers.push(peer)
    else notes.push(`${peer.name}: ${problem}`)
  }
  const visits = [subject, subject, ...peers]
  const measured: Measured[][] = visits.map(() => [])
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < visits.length; turn += 1) {
      const index = (round + turn) % visits.length
      const target = visits[index]
      if (target !== undefined) measured[index]?.push(await measureOnce(scenario, target, settings))
    }
  }
  const [first, control, ...others] = visits.map((target, index) => toSeries(target, measured[index] ?? []))
  if (first === undefined || control === undefined) throw new Error('nothing was measured')
  const { id, title, unit } = scenario
  return { id, title, unit, subject: first, control, peers: others, notes }
}

async function whyNot(
  scenario: Scenario,
  peer: SeededTarget,
  settings: LoadSettings,
): Promise<string | undefined> {
  if (scenario.needsReferrers === true && !peer.hasReferrers) return 'no referrers API'
  try {
    await scenario.measure(peer, settings)
    return undefined
  } catch (error) {
    return String(error).slice(0, 200)
  }
}

async function measureOnce(
  scenario: Scenario,
  target: SeededTarget,
  settings: LoadSettings,
): Promise<Measured> {
  const before = costOf(target)
  const clientBefore = ownCpuSeconds()
  const startedAt = performance.now()
  const sample = await scenario.measure(target, settings)
  const seconds = (performance.now() - startedAt) / 1000
  const clientCpuSeconds = ownCpuSeconds() - clientBefore
  const after = costOf(target)
  // Not every registry syncs acknowledged data: its dirty pages must not be written while another is measured.
  if (scenario.writes === true) await run(['sync'], { capture: true })
  await delay(pauseMs)
  return {
    ...sample,
    seconds,
    clientCpuSeconds,
    cpuSeconds:
      before === undefined || after === undefined ? undefined : after.cpuSeconds - before.cpuSeconds,
  }
}

function toSeries(target: SeededTarget, measured: readonly Measured[]): Series {
  const rates = measured.map(({ rate }) => rate)
  const cpuSeconds = measured.map((one) => one.cpuSeconds ?? Number.NaN).reduce((sum, one) => sum + one, 0)
  const count = measured.reduce((sum, one) => sum + one.count, 0)
  const seconds = measured.reduce((sum, one) => sum + one.seconds, 0)
  const clientCpuSeconds = measured.reduce((sum, one) => sum + one.clientCpuSeconds, 0)
  return {
    name: target.name,
    rates,
    medianRate: median(rates),
    medianP50Ms: median(measured.map(({ p50Ms }) => p50Ms)),
    medianP99Ms: median(measured.map(({ p99Ms }) => p99Ms)),
    cpuMsPerOperation: Number.isNaN(cpuSeconds) ? undefined : (cpuSeconds * 1000) / count,
    serverCores: Number.isNaN(cpuSeconds) ? undefined : cpuSeconds / seconds,
    clientCores: clientCpuSeconds / seconds,
    rssMiB: costOf(target)?.rssMiB,
  }
}

function costOf({ pid }: SeededTarget): ReturnType<typeof processCost> {
  return pid === undefined ? undefined : processCost(pid)
}

function warmUp(settings: LoadSettings): LoadSettings {
  return { ...settings, durationMs: Math.min(settings.durationMs, 1000) }
}
