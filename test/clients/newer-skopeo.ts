/**
 * Runs the skopeo of the Debian stable release after the host's, unpacked with its libraries into `.tools/debian-skopeo`: it
 * needs a newer C library than the host has, so the loader unpacked with it starts it.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { runClient } from './run-client.ts'

const folder = join(import.meta.dirname, '../../.tools/debian-skopeo/usr')
const libraries = join(folder, 'lib/x86_64-linux-gnu')

/** Returns its stdout, trimmed. */
export async function newerSkopeo(...args: readonly string[]): Promise<string> {
  if (!existsSync(folder)) throw new Error('the newer skopeo is missing: run scripts/tools/debian-clients.sh')
  const loaded = ['--library-path', libraries, join(folder, 'bin/skopeo'), ...args]
  const { stdout } = await runClient(join(libraries, 'ld-linux-x86-64.so.2'), loaded)
  return stdout.trim()
}
