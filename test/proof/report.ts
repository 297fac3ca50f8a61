/** Dated reports of the proofs, kept in docs/proof: the proof, the kind of machine, and the result. */
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'

export type Figures = Readonly<Record<string, string | number>>

const folder = join(import.meta.dirname, '../../docs/proof')
const gibibyte = 1024 ** 3

/**
 * Runs a proof and writes `docs/proof/<date>-<name>.md`, also when it fails: a failed proof is a result. `prove` adds figures as
 * it measures them and throws when the claim is false.
 */
export async function report(
  proof: { readonly name: string; readonly claim: string },
  prove: (note: (figures: Figures) => void) => Promise<void>,
): Promise<void> {
  const figures: Record<string, string | number> = {}
  const started = Date.now()
  let holds = false
  try {
    await prove((more) => Object.assign(figures, more))
    holds = true
  } finally {
    const seconds = Math.round((Date.now() - started) / 1000)
    const date = new Date(started).toISOString().slice(0, 10)
    await mkdir(folder, { recursive: true })
    await writeFile(
      join(folder, `${date}-${proof.name}.md`),
      format({ ...proof, date, holds, figures: { ...figures, 'duration (s)': seconds } }),
    )
  }
}

interface Result {
  readonly name: string
  readonly claim: string
  readonly date: string
  readonly holds: boolean
  readonly figures: Figures
}

function format({ name, claim, date, holds, figures }: Result): string {
  const rows = Object.entries(figures).map(([figure, value]) => `| ${figure} | ${value} |`)
  return `# ${name}, ${date}

${claim}

**${holds ? 'It holds.' : 'It does not hold in this run.'}**

| figure | value |
|---|---|
${rows.join('\n')}

Machine: ${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / gibibyte)} GiB memory,
${type()} ${release()}, Node ${process.version}. Program: ${describeCommit()}.
`
}

function describeCommit(): string {
  try {
    const git = (...args: readonly string[]) =>
      execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim()
    const isChanged = git('status', '--porcelain', '--untracked-files=no', '--', '../../src') !== ''
    return `commit ${git('rev-parse', '--short=12', 'HEAD')}${isChanged ? ' with changes' : ''}`
  } catch {
    return 'not a checkout'
  }
}
