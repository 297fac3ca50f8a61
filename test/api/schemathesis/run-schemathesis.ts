/** Runs Schemathesis, which `scripts/tools/schemathesis.sh` installs, against a registry. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const program = join(import.meta.dirname, '..', '..', '..', '.tools', 'schemathesis', 'bin', 'schemathesis')

/** The checks that cannot pass here, with the reason. */
const excluded: Readonly<Record<string, string>> = {
  positive_data_acceptance:
    'what fits the schema may still be refused with 400: a reserved name, a password that is the name of its account',
  ignored_auth:
    'asks again with credentials that are wrong, and so meets the throttle of failed logins (429)',
}

export interface Run {
  readonly ok: boolean
  readonly output: string
}

export async function runSchemathesis(
  url: string,
  options: {
    readonly authorization: string | undefined
    readonly cwd: string
    /** Whether to test every boundary of every field, too, which takes most of the time. */
    readonly thorough: boolean
  },
): Promise<Run> {
  if (!existsSync(program)) throw new Error('Schemathesis is missing: run scripts/tools/schemathesis.sh')
  const { authorization, cwd, thorough } = options
  const args = [
    'run',
    `${url}/api/v1/openapi.json`,
    '--checks=all',
    `--exclude-checks=${Object.keys(excluded).join(',')}`,
    // The same cases in every run, so that a failure can be repeated.
    '--seed=6',
    '--generation-deterministic',
    `--max-examples=${thorough ? 5 : 3}`,
    `--phases=${thorough ? 'examples,coverage,fuzzing,stateful' : 'examples,fuzzing,stateful'}`,
    '--request-timeout=10',
    '--continue-on-failure',
    '--warnings=off',
    '--no-color',
    ...(authorization === undefined ? [] : [`--header=Authorization: ${authorization}`]),
  ]
  return new Promise((resolve) => {
    execFile(program, args, { cwd, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ ok: error === null, output: `${stdout}${stderr}` })
    })
  })
}
