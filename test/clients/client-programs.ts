/**
 * @module Finds the clients that the system does not install: those that `scripts/tools/go-tools.sh --clients` builds from Go
 * modules, those that `scripts/tools/debian-clients.sh` unpacks from other Debian suites, and those from the package indexes of
 * their languages. Each built or unpacked client prints its version once, so that the log of a run has the versions.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { runTool } from '../support/processes/run-tool.ts'

const tools = join(import.meta.dirname, '../../.tools')

export interface ClientProgram {
  /** `oras 1.3.3-1` */
  readonly name: string
  readonly path: string
  /** The major version. */
  readonly major: number
}

/** Returns a built client. Throws when it is not built. `version` has the arguments that print its version. */
export async function builtClient(program: string, ...version: readonly string[]): Promise<ClientProgram> {
  const path = join(tools, 'bin', program)
  if (!existsSync(path)) throw new Error(`${program} is missing: run scripts/tools/go-tools.sh --clients`)
  return introduce({ program, path, version: await runTool(path, ...version) })
}

/** Returns a path below `.tools` that another script of `scripts/tools` installed. Throws when it is missing. */
export function installedTool(path: string, script: string): string {
  const installed = join(tools, path)
  if (!existsSync(installed)) throw new Error(`.tools/${path} is missing: run scripts/tools/${script}`)
  return installed
}

/** Returns the client of Debian's stable suite. Throws when it is missing. */
export function stableClient(program: string): ClientProgram {
  return unpacked(program, 'debian-stable')
}

/** Returns the client of the stable suite, and that of the unstable suite if available. */
export function unpackedClients(program: string): readonly ClientProgram[] {
  return [stableClient(program), ...unstableClients(program)]
}

/**
 * Returns no client when the unstable suite is unavailable or its program does not run here, and prints the reason. Throws when
 * the installer did not run.
 */
export function unstableClients(program: string): readonly ClientProgram[] {
  const reason = readIfThere(join(tools, 'debian-sid/unavailable'))
  if (reason === undefined) return [unpacked(program, 'debian-sid')]
  process.stdout.write(`${program} of Debian sid is unavailable and was not tried: ${reason}\n`)
  return []
}

function unpacked(program: string, folder: string): ClientProgram {
  const versions = readIfThere(join(tools, folder, 'versions')) ?? ''
  const version = new RegExp(`^${program} (.+)$`, 'm').exec(versions)?.[1]
  if (version === undefined) throw new Error(`${program} is missing: run scripts/tools/debian-clients.sh`)
  return introduce({ program, path: join(tools, folder, 'usr/bin', program), version })
}

function introduce(client: {
  readonly program: string
  readonly path: string
  readonly version: string
}): ClientProgram {
  const { program, path, version } = client
  process.stdout.write(`${program} ${version}\n`)
  return { name: `${program} ${version}`, path, major: Number(/\d+/.exec(version)?.[0]) }
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}
