/**
 * @module Runs the commands of the README in their order, as a newcomer does: in a fresh copy of the checkout, with the Node and npm of
 * the system, and the server at a terminal of its own, which `script` provides. Only the port differs, since 5000 may be taken.
 */
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

import { matchesShown, readConsoleBlocks } from '../support/processes/console-blocks.ts'
import type { ShownCommand } from '../support/processes/console-blocks.ts'
import { eventually } from '../support/eventually.ts'
import { findFreePort } from '../support/processes/free-port.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import { startEngine } from './docker-engine.ts'
import { aPodman } from './run-client.ts'

const root = join(import.meta.dirname, '../..')
const execute = promisify(execFile)
const startDeadlineMs = 60_000
const commandDeadlineMs = 240_000

export interface RanCommand extends ShownCommand {
  /** What it wrote to standard output and standard error, with the port of the README. */
  readonly printed: string
}

export interface ReadmeRun {
  readonly commands: readonly RanCommand[]
  /** All that the terminal of the server showed. */
  readonly terminal: string
}

/** Throws with what a command printed when it fails, or when the page shows something else. */
export async function runReadme(): Promise<ReadmeRun> {
  await using stack = new AsyncDisposableStack()
  const { path: folder } = stack.use(await tempFolder('lading-readme'))
  await execute('bash', ['-c', `${listFiles} | tar --null -T - -c | tar -x -C '${folder}'`], { cwd: root })
  const engine = stack.use(await startEngine({ name: 'docker', containerdStore: false }))
  const client = stack.use(await engine.client())
  const podman = stack.use(await aPodman())
  const port = String(await findFreePort())
  const env = { ...newcomerEnvironment(), ...client.env, ...podman.env, LADING_HTTP_PORT: port }
  const path = newcomerEnvironment()['PATH']
  const shell = { folder, port, env: { ...env, PATH: path } }
  const commands: RanCommand[] = []
  let terminal = (): string => ''
  for (const command of readConsoleBlocks(await readFile(join(folder, 'README.md'), 'utf8'))) {
    if (command.line === 'npx lading serve') terminal = await startServer(command, shell, stack)
    const printed = command.line === 'npx lading serve' ? terminal() : await runCommand(command, shell)
    if (!matchesShown(command.output, printed)) {
      throw new Error(`$ ${command.line}\nshown:\n${command.output}\nprinted:\n${printed}`)
    }
    commands.push({ ...command, printed })
  }
  return { commands, terminal: terminal() }
}

/** Tracked files and new ones, so that the copy is what a clone will be. */
const listFiles = 'git ls-files -z --cached --others --exclude-standard --deduplicate'

/** Without what npm and the checkout add to the PATH. */
function newcomerEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|LADING_|VITEST|NODE_)/i.test(name))
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const path = folders.filter((entry) => !entry.includes('node_modules')).join(delimiter)
  return { ...Object.fromEntries(kept), PATH: path }
}

interface Shell {
  readonly folder: string
  readonly port: string
  readonly env: NodeJS.ProcessEnv
}

async function runCommand({ line }: ShownCommand, shell: Shell): Promise<string> {
  const { child, printed } = startShell(line, shell)
  child.stdin?.end()
  const timer = setTimeout(() => endGroup(child), commandDeadlineMs)
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  if (code !== 0) throw new Error(`$ ${line}\nended with ${code}:\n${printed()}`)
  return printed()
}

/** Resolves when it has printed what the page shows, or at the deadline, with what reads its terminal. */
async function startServer(
  { line, output }: ShownCommand,
  shell: Shell,
  stack: AsyncDisposableStack,
): Promise<() => string> {
  const { child, printed } = startShell(
    `script --quiet --return --flush --command '${line}' /dev/null`,
    shell,
  )
  stack.defer(async () => {
    const ended = child.exitCode === null ? once(child, 'close') : undefined
    // Ctrl-C, as a person stops it.
    child.stdin?.end('\u0003')
    await ended
  })
  await eventually(() => matchesShown(output, printed()), Boolean, startDeadlineMs).catch(() => undefined)
  return printed
}

function startShell(
  line: string,
  { folder, port, env }: Shell,
): { child: ChildProcess; printed: () => string } {
  const command = line.replaceAll(':5000', `:${port}`)
  const child = spawn('bash', ['-o', 'pipefail', '-c', command], {
    cwd: folder,
    env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => (text += part))
  }
  return { child, printed: () => readTerminal(text).replaceAll(`:${port}`, ':5000') }
}

/** As a terminal shows it: npm draws a wheel at the start of a line, and erases the line. */
function readTerminal(text: string): string {
  const eraseLine = '\u001B[1G\u001B[0K'
  const lines = text.trimEnd().replaceAll('\r', '').split('\n')
  return lines.map((line) => line.split(eraseLine).at(-1) ?? '').join('\n')
}

/** The shell and what it started. */
function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGTERM')
  } catch {
    // The group has ended.
  }
}
