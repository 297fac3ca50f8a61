/**
 * @module Runs the OCI conformance suite (version 2, a Go program built by `scripts/tools/go-tools.sh`) against a registry and
 * reads its results. The suite's exit code is not a verdict: it is 0 after a configuration error, and skipped checks do not
 * change it. So the results file and the totals are read, and it is an error if they are missing.
 */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'

import { run } from '../../scripts/run-command.ts'

const checkout = join(import.meta.dirname, '../..')
const suite = join(checkout, '.tools/conformance')
const suiteDeadlineMs = 180_000

export interface ConformanceOptions {
  /** The host, such as `127.0.0.1:5000`; plain HTTP. */
  readonly host: string
  /** The name of this run; its results (with `report.html`) are stored in `results/conformance/<name>`. */
  readonly name: string
  readonly credentials?: { readonly username: string; readonly password: string }
  /** Settings of the suite (`OCI_*`), added to those that enable everything of the development version, including sparse data. */
  readonly env?: Readonly<Record<string, string>>
}

export interface ConformanceReport {
  readonly apis: Readonly<Record<string, string>>
  readonly data: Readonly<Record<string, string>>
  readonly totals: ConformanceTotals
  /** Every group and check that is not `Pass`, with the suite's explanation. */
  readonly notPassed: readonly string[]
}

export interface ConformanceTotals {
  readonly pass: number
  readonly fail: number
  readonly skip: number
  readonly disabled: number
  readonly error: number
  readonly total: number
}

/** Builds the suite unless the locked version is already built. Throws when Go is missing. */
export async function buildSuite(): Promise<void> {
  const result = await run(['bash', join(checkout, 'scripts/tools/go-tools.sh')], { capture: true })
  if (!result.ok)
    throw new Error(`the conformance suite cannot be built (${result.reason}):\n${result.output}`)
}

/** Runs the suite. Throws when it wrote no results, whatever its exit code. */
export async function runConformance(options: ConformanceOptions): Promise<ConformanceReport> {
  const folder = join(checkout, 'results/conformance', options.name)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const { output } = await run([suite], {
    capture: true,
    cwd: folder,
    timeoutMs: suiteDeadlineMs,
    env: { ...environment(), ...suiteSettings(options), OCI_RESULTS_DIR: folder },
  })
  await writeFile(join(folder, 'output.txt'), output)
  const results = join(folder, 'results.yaml')
  if (!existsSync(results))
    throw new Error(`the suite left no results.yaml; it said:\n${output.slice(-4000)}`)
  const { apis, data } = parse(await readFile(results, 'utf8')) as Pick<ConformanceReport, 'apis' | 'data'>
  return {
    apis,
    data,
    totals: parseTotals(output),
    notPassed: [...groupsNotPassed({ ...apis, ...data }), ...checksNotPassed(output)],
  }
}

export function formatTotals({ pass, fail, skip, disabled, error, total }: ConformanceTotals): string {
  return `${pass} pass, ${fail} fail, ${skip} skip, ${disabled} disabled, ${error} error of ${total} checks`
}

function suiteSettings({ host, credentials, env }: ConformanceOptions): Record<string, string> {
  return {
    OCI_VERSION: 'dev',
    OCI_DATA_SPARSE: 'true',
    OCI_TLS: 'disabled',
    OCI_REGISTRY: host,
    OCI_REPO1: 'a/b',
    OCI_REPO2: 'a/c',
    ...(credentials && { OCI_USERNAME: credentials.username, OCI_PASSWORD: credentials.password }),
    ...env,
  }
}

/** Returns the environment without `OCI_*`: a setting left in a shell must not weaken the run. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('OCI_')))
}

/** Parses the block under `OCI Conformance Result:`, with lines such as `  Skip..........................:         61`. */
function parseTotals(output: string): ConformanceTotals {
  const block = output.slice(output.lastIndexOf('OCI Conformance Result:'))
  const count = (label: string): number => {
    const found = new RegExp(`^ +${label}\\.+: +(\\d+)$`, 'm').exec(block)?.[1]
    if (found === undefined)
      throw new Error(`the suite printed no total for ${label}:\n${output.slice(-4000)}`)
    return Number(found)
  }
  return {
    pass: count('Pass'),
    fail: count('FAIL'),
    skip: count('Skip'),
    disabled: count('Disabled'),
    error: count('Error'),
    total: count('Total'),
  }
}

function groupsNotPassed(groups: Readonly<Record<string, string>>): string[] {
  return Object.entries(groups)
    .filter(([, status]) => status !== 'Pass')
    .map(([name, status]) => `${status} ${name}`)
}

/** Parses the tree on stdout: `  <name>: FAIL`, with the reason on the following lines, which start with ` - `. */
function checksNotPassed(output: string): string[] {
  const tree = output.slice(output.lastIndexOf('\nTest results\n'), output.lastIndexOf('\nConfiguration:'))
  const blocks = tree.split(/\n(?= *OCI Conformance Test)/)
  return blocks.flatMap((block) => {
    const [head = '', ...reasons] = block.split('\n')
    const [, name, status] = /^ *OCI Conformance Test\/(.*): (\w+)$/.exec(head) ?? []
    if (name === undefined || status === undefined || status === 'Pass') return []
    const reason = reasons.map((line) => line.trim()).join(' ')
    // A group that contains a failed check has no reason: the check has it.
    return reason === '' && status === 'FAIL' ? [] : [`${status} ${name} ${reason}`.trim().slice(0, 600)]
  })
}
