/**
 * Starts a private PostgreSQL 15 on a free port, runs a command with its URL in LADING_TEST_POSTGRES_URL, stops the server and
 * exits with the command's code: `node scripts/postgres.ts -- npx vitest run --project contract-postgres`. Needs Debian's package
 * `postgresql`. For root it runs the server as the user postgres, because the server refuses to run as root.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { findFreePort } from '../test/support/processes/free-port.ts'

const binaries = '/usr/lib/postgresql/15/bin'
const isRoot = process.getuid?.() === 0

interface RunOptions {
  readonly asPostgres?: boolean
  readonly environment?: NodeJS.ProcessEnv
  /** Whether to show the command's output; otherwise it is shown only after a failure. */
  readonly show?: boolean
}

// Ctrl-C also reaches the command; this script continues in order to stop the server.
process.on('SIGINT', () => undefined)

const separator = process.argv.indexOf('--')
const [command, ...commandArguments] = separator === -1 ? [] : process.argv.slice(separator + 1)
if (command === undefined) {
  console.error('usage: node scripts/postgres.ts -- <command> [argument...]')
  process.exitCode = 2
} else {
  process.exitCode = await withPostgres((url) =>
    run(command, commandArguments, {
      environment: { ...process.env, LADING_TEST_POSTGRES_URL: url },
      show: true,
    }),
  )
}

async function withPostgres(work: (url: string) => Promise<number>): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'lading-postgres-'))
  const data = join(folder, 'data')
  const log = join(folder, 'log')
  const control = join(binaries, 'pg_ctl')
  try {
    if (isRoot) {
      await chmod(folder, 0o755)
      await mustRun('chown', ['postgres', folder])
    }
    await mustRun(join(binaries, 'initdb'), ['-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync'], {
      asPostgres: true,
    })
    const port = await findFreePort()
    const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder} -c fsync=off`
    const started = await run(control, ['-D', data, '-w', '-l', log, '-o', settings, 'start'], {
      asPostgres: true,
    })
    if (started !== 0) throw new Error(`PostgreSQL did not start:\n${await readFile(log, 'utf8')}`)
    try {
      return await work(`postgres://postgres@127.0.0.1:${port}/postgres`)
    } finally {
      await run(control, ['-D', data, '-w', '-m', 'fast', 'stop'], { asPostgres: true })
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function mustRun(file: string, parameters: readonly string[], options: RunOptions = {}): Promise<void> {
  const code = await run(file, parameters, options)
  if (code !== 0) throw new Error(`${file} ended with code ${code}`)
}

async function run(file: string, parameters: readonly string[], options: RunOptions = {}): Promise<number> {
  const asOther = options.asPostgres === true && isRoot
  const child = spawn(
    asOther ? 'runuser' : file,
    asOther ? ['-u', 'postgres', '--', file, ...parameters] : parameters,
    {
      // The server inherits these: a pipe to this process would stay open while the server runs.
      stdio: options.show === true ? 'inherit' : ['ignore', 'ignore', 'inherit'],
      cwd: asOther ? tmpdir() : process.cwd(),
      env: options.environment ?? process.env,
    },
  )
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}
