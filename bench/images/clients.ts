/** The command-line clients that push and pull the images: one process per image, as on a build machine. */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { Credentials } from '../../test/clients/run-client.ts'
import { configJson } from '../../test/clients/run-client.ts'
import { run } from '../../scripts/run-command.ts'

const craneProgram = join(import.meta.dirname, '../../.tools/bin/crane')
const deadlineMs = 120_000

/** A client; `image` is `<host>/<repository>:<tag>`. */
export interface ImageClient {
  readonly name: 'skopeo' | 'crane'
  push(layout: string, image: string): readonly string[]
  pull(image: string, layout: string): readonly string[]
  readonly version: readonly string[]
}

const skopeo: ImageClient = {
  name: 'skopeo',
  version: ['skopeo', '--version'],
  push: (layout, image) => copy('--dest-tls-verify=false', `oci:${layout}`, `docker://${image}`),
  pull: (image, layout) => copy('--src-tls-verify=false', `docker://${image}`, `oci:${layout}`),
}

const crane: ImageClient = {
  name: 'crane',
  version: [craneProgram, 'version'],
  push: (layout, image) => [craneProgram, 'push', '--insecure', layout, image],
  pull: (image, layout) => [craneProgram, 'pull', '--insecure', '--format=oci', image, layout],
}

/**
 * Returns the clients with these names; without names skopeo, and crane if installed. Throws for a client that is unknown or
 * missing.
 */
export function chooseClients(names: readonly string[]): readonly ImageClient[] {
  if (names.length === 0) return existsSync(craneProgram) ? [skopeo, crane] : [skopeo]
  return names.map((name) => {
    const client = [skopeo, crane].find((one) => one.name === name)
    if (client === undefined) throw new Error(`--client is skopeo or crane, not ${name}`)
    return client
  })
}

/** Returns the version that the client prints, for the report. */
export async function versionOf({ name, version }: ImageClient): Promise<string> {
  const { ok, output, reason } = await run(version, { capture: true })
  if (!ok) throw new Error(`${version.join(' ')}: ${reason}`)
  return `${name} ${/\d+\.\d+[\w.+-]*/.exec(output)?.[0] ?? output.trim()}`
}

export type ClientEnvironment = Readonly<Record<string, string>>

/**
 * Makes a separate home: the user's logins and caches are neither read nor changed. skopeo remembers where it saw each layer in a
 * file that its processes lock, so each worker has its own, as if on its own machine; for root that file has a fixed place unless
 * the client believes that it runs as a user.
 */
export async function clientHome(
  folder: string,
  login: { readonly host: string; readonly credentials: Credentials } | undefined,
): Promise<ClientEnvironment> {
  await mkdir(folder, { recursive: true })
  const file = join(folder, 'config.json')
  await writeFile(file, login === undefined ? '{}' : configJson(login.host, login.credentials))
  return {
    HOME: folder,
    XDG_DATA_HOME: folder,
    _CONTAINERS_ROOTLESS_UID: '1',
    REGISTRY_AUTH_FILE: file,
    DOCKER_CONFIG: folder,
  }
}

/** Runs a client. Throws with its output when it fails. */
export async function runImageClient(command: readonly string[], env: ClientEnvironment): Promise<void> {
  const options = { capture: true, timeoutMs: deadlineMs, env: { ...process.env, ...env } }
  const { ok, output, reason } = await run(command, options)
  if (!ok) throw new Error(`${command.join(' ')} failed (${reason}):\n${output}`)
}

function copy(flag: string, source: string, destination: string): readonly string[] {
  return ['skopeo', 'copy', '--quiet', flag, source, destination]
}
