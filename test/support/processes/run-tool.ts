import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Runs a program of the system and returns its output. Throws with its error output when it fails. */
export async function runTool(command: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execute(command, args, { timeout: 60_000 })
  return stdout.trim()
}
