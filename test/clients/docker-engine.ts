/**
 * @module Throwaway Docker engines: `dockerd` with its own socket and store in a temporary folder, without bridge and firewall
 * rules. 20.10 comes from Debian's stable release; `scripts/tools/docker-sid.sh` unpacks 28 from the unstable release, which may
 * be unavailable.
 */
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { anOciLayout } from '../support/content/oci-layout.ts'
import type { LayoutOptions } from '../support/content/oci-layout.ts'
import { startDaemon } from '../support/processes/run-daemon.ts'
import type { TempFolder } from '../support/processes/temp-folder.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import type { Kind, Started } from './debian-sid.ts'
import { sidFolder, startAvailable } from './debian-sid.ts'
import { runClient } from './run-client.ts'
import type { Credentials } from './run-client.ts'

export interface EngineKind extends Kind {
  /** Whether images are in containerd's store, which then also communicates with registries. */
  readonly containerdStore: boolean
}

export const engineKinds: readonly EngineKind[] = [
  { name: 'docker 20.10', containerdStore: false },
  { name: 'docker 28', folder: sidFolder, containerdStore: false },
  { name: "docker 28 with containerd's store", folder: sidFolder, containerdStore: true },
]

/** Starts the available engines; `flags` are passed to each `dockerd`. */
export async function startEngines(
  ...flags: readonly string[]
): Promise<readonly Started<EngineKind, DockerEngine>[]> {
  return await startAvailable(engineKinds, (kind) => startEngine(kind, flags), 'usr/sbin/dockerd')
}

export interface DockerEngine extends AsyncDisposable {
  readonly version: string
  /** Makes a command line with its own configuration, and so its own logins. */
  client(): Promise<DockerClient>
  /** Removes every image: the next pull reads from the registry. */
  clear(): Promise<void>
}

export interface DockerClient extends AsyncDisposable {
  /** Leads to its engine and its configuration. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Holds `config.json`. */
  readonly configFolder: string
  /** Whether it builds with the buildx plug-in instead of the engine's own builder. */
  readonly hasBuildx: boolean
  /** Runs docker and returns its output, trimmed. Throws with the output when it fails. */
  run(...args: readonly string[]): Promise<string>
  /** Loads a new image (random layers) under the name, which may be of any registry; returns its layers' diff ids. */
  load(name: string, options?: LayoutOptions): Promise<readonly string[]>
  login(host: string, credentials: Credentials): Promise<string>
}

/** `settings` go into its `daemon.json`. Throws with what the engine said when it does not start. */
export async function startEngine(
  kind: EngineKind,
  flags: readonly string[] = [],
  settings: Readonly<Record<string, unknown>> = {},
): Promise<DockerEngine> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder('docker'))
  const usr = usrOf(kind)
  const program = join(usr, 'bin/docker')
  const env = {
    ...process.env,
    PATH: `${join(usr, 'sbin')}:${join(usr, 'bin')}:${process.env['PATH'] ?? ''}`,
    DOCKER_HOST: `unix://${join(folder.path, 'socket')}`,
    // 20.10 needs this to use BuildKit; 28 uses it anyway.
    DOCKER_BUILDKIT: '1',
  }
  await writeFile(
    join(folder.path, 'daemon.json'),
    JSON.stringify({ features: { 'containerd-snapshotter': kind.containerdStore }, ...settings }),
  )
  stack.use(
    await startDaemon({
      command: [
        join(usr, 'sbin/dockerd'),
        ...flagsOf(folder.path, env.DOCKER_HOST),
        ...storageOf(kind),
        ...flags,
      ],
      env,
      isReady: async () => (await runClient(program, ['version'], { env })).stdout !== '',
    }),
  )
  const version = await runClient(program, ['version', '--format', '{{.Server.Version}}'], { env })
  const resources = stack.move()
  return {
    version: version.stdout.trim(),
    client: () => aClient(kind, env),
    async clear() {
      const { stdout } = await runClient(program, ['images', '--quiet', '--no-trunc'], { env })
      const ids = [...new Set(stdout.split('\n').filter(Boolean))]
      if (ids.length > 0) await runClient(program, ['rmi', '--force', ...ids], { env })
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

function flagsOf(folder: string, socket: string): string[] {
  const paths = { 'config-file': 'daemon.json', 'data-root': 'root', 'exec-root': 'exec', pidfile: 'pid' }
  return [
    ...Object.entries(paths).map(([flag, name]) => `--${flag}=${join(folder, name)}`),
    `--host=${socket}`,
    '--iptables=false',
    '--ip6tables=false',
    '--bridge=none',
    '--ip-forward=false',
  ]
}

/** Returns the storage flags. vfs works on every file system; containerd's store uses its own snapshotter. */
function storageOf({ containerdStore }: EngineKind): string[] {
  return containerdStore ? [] : ['--storage-driver=vfs']
}

function usrOf({ folder = '/' }: EngineKind): string {
  return join(folder, 'usr')
}

async function aClient(
  kind: EngineKind,
  engineEnv: Readonly<Record<string, string | undefined>>,
): Promise<DockerClient> {
  const program = join(usrOf(kind), 'bin/docker')
  const folder: TempFolder = await tempFolder('docker-config')
  const env = { ...engineEnv, DOCKER_CONFIG: folder.path }
  // The command line looks for plug-ins in its configuration folder. If it were installed, it would find them in the system's.
  await symlink(join(usrOf(kind), 'libexec/docker/cli-plugins'), join(folder.path, 'cli-plugins'))
  const run = async (...args: readonly string[]) => {
    const { stdout, stderr } = await runClient(program, args, { env })
    return `${stdout}${stderr}`.trim()
  }
  return {
    env,
    configFolder: folder.path,
    hasBuildx: kind.folder !== undefined,
    run,
    async load(name, options) {
      await using layout = await anOciLayout({ platforms: ['linux/amd64'], ...options })
      await using archive = await tempFolder('docker-archive')
      const file = join(archive.path, 'image.tar')
      await runClient('skopeo', ['copy', `oci:${layout.path}:v1`, `docker-archive:${file}:${name}`])
      await run('load', '--input', file)
      return await layersOf({ run }, name)
    },
    async login(host, { name, password }) {
      const args = ['login', '--username', name, '--password-stdin', host]
      const { stdout, stderr } = await runClient(program, args, { env, stdin: password })
      return `${stdout}${stderr}`.trim()
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

/** Returns the diff ids of an image's layers: equal for equal content, whatever the compression. */
export async function layersOf(client: Pick<DockerClient, 'run'>, image: string): Promise<readonly string[]> {
  const layers = await client.run('inspect', '--format', '{{json .RootFS.Layers}}', image)
  return JSON.parse(layers) as string[]
}
