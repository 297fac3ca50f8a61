/**
 * The skopeo of Debian's stable release after the host's, unpacked with its libraries into `.tools/debian-skopeo`: it
 * wants a newer C library than the host has, so it is started by the loader that came with it.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { runClient } from './run-client.ts'

const folder = join(import.meta.dirname, '../../.tools/debian-skopeo/usr')
const libraries = join(folder, 'lib/x86_64-linux-gnu')

/** What it wrote to stdout, trimmed. */
export async function newerSkopeo(...args: readonly string[]): Promise<string> {
  if (!existsSync(folder)) throw new Error('the newer skopeo is missing: run scripts/tools/debian-clients.sh')
  const loaded = ['--library-path', libraries, join(folder, 'bin/skopeo'), ...args]
  const { stdout } = await runClient(join(libraries, 'ld-linux-x86-64.so.2'), loaded)
  return stdout.trim()
}
