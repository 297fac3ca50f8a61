/**
 * @module Runs real command-line clients for the tests in this folder. `scripts/tools/debian-packages.sh` installs them; a
 * missing client fails the test, because a suite that skips proves nothing.
 */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import type { TempFolder } from '../support/processes/temp-folder.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'

const execute = promisify(execFile)
const deadlineMs = 120_000

export interface ClientOptions {
  /** On top of the test's own environment. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly stdin?: string
  /** The working directory; absent: the checkout. */
  readonly cwd?: string
}

/** Runs a client. Throws with all its output when it fails. */
export async function runClient(
  program: string,
  args: readonly string[],
  { env = {}, stdin = '', cwd }: ClientOptions = {},
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const running = execute(program, [...args], {
    env: { ...process.env, ...env },
    cwd,
    timeout: deadlineMs,
    maxBuffer: 64 * 1024 * 1024,
  })
  // A program that ends before it reads its input has printed the reason.
  running.child.stdin?.on('error', () => undefined).end(stdin)
  try {
    return await running
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string }
    if (code === 'ENOENT') {
      throw new Error(`${program} is not installed: run scripts/tools/debian-packages.sh`, { cause: error })
    }
    throw new Error(`${program} ${args.join(' ')} failed (${String(code)}):\n${stdout}${stderr}`, {
      cause: error,
    })
  }
}

/** Runs skopeo and returns its stdout, trimmed. */
export async function skopeo(...args: readonly string[]): Promise<string> {
  const { stdout } = await runClient('skopeo', args)
  return stdout.trim()
}

export interface Credentials {
  readonly name: string
  readonly password: string
}

/** Returns the file of logins that skopeo and podman share, in the format of `kubectl create secret docker-registry`. */
export function configJson(host: string, { name, password }: Credentials): string {
  const auth = Buffer.from(`${name}:${password}`).toString('base64')
  return JSON.stringify({ auths: { [host]: { username: name, password, auth } } })
}

/** Runs `skopeo copy` over plain HTTP in both directions, for all platforms. Returns its debug log, which lists every request. */
export async function skopeoCopy(
  source: string,
  destination: string,
  ...flags: readonly string[]
): Promise<string> {
  const plainHttp = ['--src-tls-verify=false', '--dest-tls-verify=false']
  const args = ['--debug', 'copy', '--all', ...plainHttp, ...flags, source, destination]
  const { stderr } = await runClient('skopeo', args)
  return stderr
}

export interface Podman extends AsyncDisposable {
  /** Leads to its image store, configuration and credentials. */
  readonly env: Readonly<Record<string, string>>
  /** What it wrote to stdout, trimmed. */
  run(...args: readonly string[]): Promise<string>
}

export interface PodmanOptions {
  /** On top of the test's own environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Whether podman pulls only the missing files of a zstd:chunked layer. Needs overlay file systems. */
  readonly partialPulls?: boolean
}

/** Starts podman with its own image store, configuration and credentials. */
export async function aPodman(options: PodmanOptions = {}): Promise<Podman> {
  const folder: TempFolder = await tempFolder('podman')
  const authFile = join(folder.path, 'auth.json')
  await writeFile(authFile, '{}')
  const storageConf = join(folder.path, 'storage.conf')
  await writeFile(storageConf, storageToml(folder.path, options))
  const env = {
    CONTAINERS_CONF: join(import.meta.dirname, 'containers.conf'),
    CONTAINERS_STORAGE_CONF: storageConf,
    REGISTRY_AUTH_FILE: authFile,
    TMPDIR: folder.path,
    ...options.env,
  }
  const run = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await runClient('podman', args, { env })
    return stdout.trim()
  }
  return {
    env,
    run,
    async [Symbol.asyncDispose]() {
      await run('rmi', '--all', '--force').catch(() => undefined)
      await folder[Symbol.asyncDispose]()
    },
  }
}

function storageToml(folder: string, { partialPulls = false }: PodmanOptions): string {
  return `[storage]
driver = "${partialPulls ? 'overlay' : 'vfs'}"
graphroot = "${join(folder, 'root')}"
runroot = "${join(folder, 'run')}"
[storage.options]
pull_options = {enable_partial_images = "${partialPulls}", use_hard_links = "false", ostree_repos = ""}
`
}
