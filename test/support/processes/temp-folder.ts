import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TempFolder extends AsyncDisposable {
  readonly path: string
}

/** Makes a folder for one test; it is removed with its content on dispose. */
export async function tempFolder(name = 'lading-test'): Promise<TempFolder> {
  // Not mkdtemp: podman derives an image name from a layout's path, and image names have no capital letters.
  const path = join(tmpdir(), `${name}-${randomBytes(6).toString('hex')}`)
  await mkdir(path, { mode: 0o700 })
  return {
    path,
    async [Symbol.asyncDispose]() {
      // A test's process that is about to end may still write or hold a mount, so removal is retried for about five seconds.
      await rm(path, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}
