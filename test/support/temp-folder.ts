import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TempFolder extends AsyncDisposable {
  readonly path: string
}

/** A folder of its own for one test; it and all below it are removed on dispose. */
export async function tempFolder(name = 'lading-test'): Promise<TempFolder> {
  // Not mkdtemp: podman makes an image name of a layout's path, and image names have no capitals.
  const path = join(tmpdir(), `${name}-${randomBytes(6).toString('hex')}`)
  await mkdir(path, { mode: 0o700 })
  return {
    path,
    async [Symbol.asyncDispose]() {
      // A process of a test that ends a moment later may still write or hold a mount: some five seconds of retries.
      await rm(path, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}
