/**
 * @module Where the clients are that the system does not install: built from Go modules by
 * `scripts/tools/go-tools.sh --clients`, unpacked from other Debian suites by `scripts/tools/debian-clients.sh`, or
 * installed from the package indexes of their languages. Each that was built or unpacked says its version once, so that
 * a run tells what it was made with.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { runTool } from '../support/run-tool.ts'

const tools = join(import.meta.dirname, '../../.tools')

export interface ClientProgram {
  /** `oras 1.3.3-1` */
  readonly name: string
  readonly path: string
  /** The major version. */
  readonly major: number
}

/** Throws when it is not built. `version` is how it is asked for its version. */
export async function builtClient(program: string, ...version: readonly string[]): Promise<ClientProgram> {
  const path = join(tools, 'bin', program)
  if (!existsSync(path)) throw new Error(`${program} is missing: run scripts/tools/go-tools.sh --clients`)
  return introduce({ program, path, version: await runTool(path, ...version) })
}

/** The path of what another script of `scripts/tools` put below `.tools`. Throws when it is missing. */
export function installedTool(path: string, script: string): string {
  const installed = join(tools, path)
  if (!existsSync(installed)) throw new Error(`.tools/${path} is missing: run scripts/tools/${script}`)
  return installed
}

/** As Debian's stable suite has it. Throws when it is missing. */
export function stableClient(program: string): ClientProgram {
  return unpacked(program, 'debian-stable')
}

/** As the stable suite has it, and as the unstable one does. */
export function unpackedClients(program: string): readonly ClientProgram[] {
  return [stableClient(program), ...unstableClients(program)]
}

/**
 * None when the unstable suite is out of reach or what it has does not run here, which is reported by name. Throws when
 * nobody tried to get it.
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
