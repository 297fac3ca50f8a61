import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TempFolder extends AsyncDisposable {
  readonly path: string
}

/** A folder of its own for one test; it and all below it are removed on dispose. */
export async function tempFolder(name = 'lading-test'): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), `${name}-`))
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}
