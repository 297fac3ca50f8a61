/** containerd with an own socket and store, and its client `ctr`, both as Debian installs them. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { startDaemon } from '../support/run-daemon.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { runClient } from './run-client.ts'

export interface Containerd extends AsyncDisposable {
  /** What it wrote, trimmed; throws with that when it fails. */
  ctr(...args: readonly string[]): Promise<string>
}

/** Between `ctr` and its daemon, seen once; what a registry does to it reads `failed to do request`. */
const ownStreamEnded = /rpc error: code = Internal desc = unexpected EOF/

export async function startContainerd(): Promise<Containerd> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder('containerd'))
  const inFolder = (name: string) => JSON.stringify(join(folder.path, name))
  const config = join(folder.path, 'config.toml')
  const socket = join(folder.path, 'socket')
  // Kubernetes' interface wants networks and more of the host than a test may take.
  await writeFile(
    config,
    `version = 2
root = ${inFolder('root')}
state = ${inFolder('state')}
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = ${inFolder('socket')}
[ttrpc]
address = ${inFolder('socket.ttrpc')}
`,
  )
  const run = async (args: readonly string[]) => {
    const { stdout, stderr } = await runClient('/usr/bin/ctr', ['--address', socket, ...args])
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
      command: ['/usr/bin/containerd', '--config', config],
      isReady: async () => (await ctr('version')) !== '',
    }),
  )
  const resources = stack.move()
  return { ctr, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
