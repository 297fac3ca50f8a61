/** A command-line client with its own home folder: logins, keys and caches of one test do not reach another. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { ProxyOptions, SeenRequest } from '../support/http/recording-proxy.ts'
import { startRecordingProxy } from '../support/http/recording-proxy.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import type { ClientProgram } from './client-programs.ts'
import type { Credentials } from './run-client.ts'
import { configJson, runClient } from './run-client.ts'

export interface ClientAtHome extends AsyncDisposable {
  /** Its working directory and home folder. */
  readonly home: string
  /** The host of a proxy that records the client's requests. */
  readonly host: string
  readonly seen: readonly SeenRequest[]
  /** Runs the client and returns its stdout, trimmed. Throws with all its output when it fails. */
  run(...args: readonly string[]): Promise<string>
  /** Like `run`, but with input on stdin: a password, an answer. */
  tell(stdin: string, ...args: readonly string[]): Promise<string>
  /** Writes a login into the file that most clients share with docker. */
  rememberLogin(credentials: Credentials): Promise<void>
}

export type OnAnswer = NonNullable<ProxyOptions['onAnswer']>

export interface HomeOptions {
  /** The URL of the registry, `http://127.0.0.1:<port>`. */
  readonly url: string
  readonly onAnswer?: OnAnswer | undefined
  /** Variables that are added to the test's own environment. */
  readonly env?: Readonly<Record<string, string>>
}

export async function aClientAtHome(
  { path }: Pick<ClientProgram, 'path'>,
  { url, onAnswer = () => undefined, env = {} }: HomeOptions,
): Promise<ClientAtHome> {
  await using stack = new AsyncDisposableStack()
  const { path: home } = stack.use(await tempFolder('home'))
  const { host, seen } = stack.use(await startRecordingProxy({ url, onAnswer }))
  const dockerConfig = join(home, '.docker')
  await mkdir(dockerConfig)
  const homes = { HOME: home, DOCKER_CONFIG: dockerConfig, XDG_CONFIG_HOME: join(home, '.config') }
  const tell = async (stdin: string, ...args: readonly string[]) => {
    const { stdout } = await runClient(path, args, { env: { ...homes, ...env }, stdin, cwd: home })
    return stdout.trim()
  }
  const resources = stack.move()
  return {
    home,
    host,
    seen,
    tell,
    run: (...args) => tell('', ...args),
    rememberLogin: (credentials) =>
      writeFile(join(dockerConfig, 'config.json'), configJson(host, credentials)),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** Returns the bytes of all uploads: 0 when every blob was mounted or known. */
export function uploadedBytes(seen: readonly SeenRequest[]): number {
  return seen
    .filter(({ path }) => path.includes('/blobs/uploads/'))
    .reduce((sum, { sentBytes }) => sum + sentBytes, 0)
}

/** Returns the statuses of the requests to mount a blob of another repository, without those that lacked a token. */
export function mounts(seen: readonly SeenRequest[]): readonly number[] {
  return seen
    .filter(({ method, path, status }) => method === 'POST' && path.includes('mount=') && status !== 401)
    .map(({ status }) => status)
}
