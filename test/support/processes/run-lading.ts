/** Runs a Lading command inside the test's process, with streams, environment and keyboard of the test's choice. */
import { createPasswordHasher } from '../../../src/identity/passwords/password-hash.ts'
import type { CliHost, Command } from '../../../src/cli/frame/command.ts'
import { commands } from '../../../src/cli/commands.ts'
import { runCli } from '../../../src/cli/run.ts'

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** File contents by path, used instead of the disk. */
  readonly files?: Readonly<Record<string, string>>
  readonly stdin?: string
  /** The answers typed at the terminal, one per question; absent: there is no terminal. */
  readonly typed?: readonly string[]
  readonly commands?: readonly Command[]
  /** Standard error is a terminal: progress is shown, and put down here. */
  readonly progress?: string[]
}

export interface RunResult {
  readonly code: number
  readonly out: string
  readonly err: string
  /** Returns standard output, parsed as JSON. */
  readonly json: () => unknown
}

/** Runs the command `line`, which is split at spaces. */
export async function runLading(line: string, options: RunOptions = {}): Promise<RunResult> {
  const out: string[] = []
  const err: string[] = []
  const typed = [...(options.typed ?? [])]
  const type = (): Promise<string> => Promise.resolve(typed.shift() ?? '')
  const host: CliHost = {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    ...(options.progress !== undefined && {
      showProgress: (text: string) => void options.progress?.push(text),
    }),
    sources: { env: options.env ?? {}, readFile: (path) => options.files?.[path] },
    readStdin: () => Promise.resolve(options.stdin ?? ''),
    // As cheap as the hashes of the registry in the test's process.
    passwords: createPasswordHasher({ cost: { memoryKib: 64, passes: 1 } }),
    terminal: options.typed === undefined ? undefined : { ask: type, askSecret: type },
    listenForReload: () => ({ [Symbol.dispose]: () => undefined }),
    listenForStop: () => {
      throw new Error('no command of this test waits for signals')
    },
  }
  const code = await runCli(line.split(' ').filter(Boolean), options.commands ?? commands, host)
  return { code, out: out.join('\n'), err: err.join('\n'), json: (): unknown => JSON.parse(out.join('\n')) }
}
