/**
 * @module containerd with its own socket and store, and its client `ctr`: 1.6 from Debian's stable release, 2.1 from the unstable
 * one, which `scripts/tools/docker-sid.sh` unpacks.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { startDaemon } from '../support/processes/run-daemon.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import type { Kind, Started } from './debian-sid.ts'
import { sidFolder, startAvailable } from './debian-sid.ts'
import { runClient } from './run-client.ts'

export interface Containerd extends AsyncDisposable {
  readonly version: string
  /** Of its socket. */
  readonly address: string
  /** What it wrote, trimmed; throws with that when it fails. */
  ctr(...args: readonly string[]): Promise<string>
  /** Removes every image and its content: the next pull reads from the registry. */
  clear(): Promise<void>
}

export interface ContainerdKind extends Kind {
  /** The format of its configuration. */
  readonly configVersion: 2 | 3
}

export interface ContainerdOptions {
  /** Lines of its configuration, for the newer version only. */
  readonly transfer?: string
}

export const containerdKinds: readonly ContainerdKind[] = [
  { name: 'containerd 1.6', configVersion: 2 },
  { name: 'containerd 2.1', configVersion: 3, folder: sidFolder },
]

export async function startContainerds(
  options: ContainerdOptions & { readonly kinds?: readonly ContainerdKind[] } = {},
): Promise<readonly Started<ContainerdKind, Containerd>[]> {
  const { kinds = containerdKinds } = options
  return await startAvailable(kinds, (kind) => startContainerd(kind, options), 'usr/bin/containerd')
}

/** An error between `ctr` and its daemon, seen once; errors caused by a registry read `failed to do request`. */
const ownStreamEnded = /rpc error: code = Internal desc = unexpected EOF/

async function startContainerd(kind: ContainerdKind, options: ContainerdOptions): Promise<Containerd> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder('containerd'))
  const bin = join(kind.folder ?? '/', 'usr/bin')
  const config = join(folder.path, 'config.toml')
  await writeFile(config, configOf(folder.path, kind, options))
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` }
  const address = join(folder.path, 'socket')
  const run = async (args: readonly string[]) => {
    const { stdout, stderr } = await runClient(join(bin, 'ctr'), ['--address', address, ...args], { env })
    return `${stdout}${stderr}`.trim()
  }
  const ctr = async (...args: readonly string[]) => {
    try {
      return await run(args)
    } catch (error) {
      if (!ownStreamEnded.test(String(error))) throw error
      return await run(args)
    }
  }
  stack.use(
    await startDaemon({
      command: [join(bin, 'containerd'), '--config', config],
      env,
      isReady: async () => (await ctr('version')) !== '',
    }),
  )
  const version = await ctr('version')
  const resources = stack.move()
  return {
    address,
    version: /Server:\s+Version:\s+(\S+)/.exec(version)?.[1] ?? version,
    ctr,
    async clear() {
      const images = await ctr('images', 'ls', '--quiet')
      if (images !== '') await ctr('images', 'rm', '--sync', ...images.split('\n'))
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** Disables the Kubernetes interface, which needs networks and more of the host than a test may use. */
const kubernetes = {
  2: ['io.containerd.grpc.v1.cri'],
  3: ['io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.images', 'io.containerd.cri.v1.runtime'],
} as const

function configOf(
  folder: string,
  { configVersion }: ContainerdKind,
  { transfer }: ContainerdOptions,
): string {
  const inFolder = (name: string) => JSON.stringify(join(folder, name))
  return `version = ${configVersion}
root = ${inFolder('root')}
state = ${inFolder('state')}
disabled_plugins = ${JSON.stringify(kubernetes[configVersion])}
[grpc]
address = ${inFolder('socket')}
[ttrpc]
address = ${inFolder('socket.ttrpc')}
${transfer === undefined ? '' : `[plugins.'io.containerd.transfer.v1.local']\n${transfer}\n`}`
}
