/** Runs commands with an `/etc` of their own, so that the samples of a page can be installed where the page says. */
import { execFile } from 'node:child_process'
import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

import { tempFolder } from '../support/processes/temp-folder.ts'
import { runClient } from './run-client.ts'
import type { ClientOptions } from './run-client.ts'

export interface PrivateEtc extends AsyncDisposable {
  /** Where the commands run. */
  readonly folder: string
  /** `path` begins with `/etc/`. */
  write(path: string, text: string): Promise<void>
  /** By bash; returns what it wrote, trimmed, and throws with that when it fails. */
  run(script: string, options?: Omit<ClientOptions, 'cwd'>): Promise<string>
}

/** A copy of the machine's `/etc`, in which `host` is this machine. */
export async function aPrivateEtc(host: string): Promise<PrivateEtc> {
  const folder = await tempFolder('etc')
  const etc = join(folder.path, 'etc')
  await promisify(execFile)('cp', ['--archive', '/etc', etc])
  await appendFile(join(etc, 'hosts'), `\n127.0.0.1 ${host}\n`)
  return {
    folder: folder.path,
    async write(path, text) {
      const place = join(folder.path, path)
      await mkdir(dirname(place), { recursive: true })
      await writeFile(place, text)
    },
    async run(script, options) {
      const command = `mount --bind '${etc}' /etc && { ${script}\n}`
      const { stdout, stderr } = await runClient('unshare', ['--mount', 'bash', '-ec', command], {
        ...options,
        cwd: folder.path,
      })
      return `${stdout}${stderr}`.trim()
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}
