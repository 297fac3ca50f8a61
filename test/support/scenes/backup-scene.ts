/** A registry with images, a place for its backups, and the commands as a user runs them. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startImagePushes } from '../uploads/image-pushes.ts'
import { startInProcess } from '../parts/in-process.ts'
import { runLading } from '../processes/run-lading.ts'
import { tempFolder } from '../processes/temp-folder.ts'

export interface CommandResult {
  readonly code: number
  readonly value: Record<string, unknown>
  readonly err: string
}

/** Runs a command with `--json`. */
export async function lading(line: string, dataDir = '/nowhere'): Promise<CommandResult> {
  const { code, out, err } = await runLading(`${line} --json`, { env: { LADING_DATA: dataDir } })
  return { code, value: (out === '' ? {} : JSON.parse(out)) as Record<string, unknown>, err }
}

/** Makes a stopped registry with some images, and a folder for its backups. */
export async function startScene(images = 6) {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder('lading-backup'))
  const [dataDir, backups, restored] = ['data', 'backups', 'restored'].map((name) => join(folder.path, name))
  const pushed = []
  {
    await using registry = await startInProcess({ dataDir: dataDir! })
    await using pushes = startImagePushes({ url: registry.url })
    await pushes.reached(images)
    await pushes.stop()
    pushed.push(...pushes.acknowledged)
  }
  const resources = stack.move()
  return {
    path: folder.path,
    dataDir: dataDir!,
    backups: backups!,
    restored: restored!,
    pushed,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** Lists the blob files in a backup folder, in no particular order. */
export async function listBackupBlobs(folder: string): Promise<readonly string[]> {
  const entries = await readdir(join(folder, 'blobs'), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** Changes one bit of a file. */
export async function flipByte(path: string, at: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  await writeFile(path, bytes)
}
