/** Creates, checks and removes folders. Each loop runs over the parts of one path, so it always ends. */
import { access, constants, mkdir, readdir, rmdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

/** A folder cannot be created or used. Carries the code, path and call of the system error that is its cause. */
export class FolderError extends Error {
  override readonly name = 'FolderError'
  readonly path: string
  readonly reason: string
  readonly code: string
  readonly syscall = 'mkdir'

  constructor(path: string, reason: string, options: ErrorOptions & { readonly code: string }) {
    super(`${options.code}: cannot use the folder ${path}: ${reason}`, options)
    this.path = path
    this.reason = reason
    this.code = options.code
  }
}

/**
 * Creates the folder and its missing parents with this mode. Several processes may create the same folder at once. Throws
 * `FolderError`. Unlike Node's recursive `mkdir` it also ends below `/proc`.
 */
export async function makeFolder(path: string, mode: number): Promise<void> {
  for (const folder of await findMissingFolders(path)) await makeChildFolder(folder, mode)
  if (!(await stat(path)).isDirectory()) throw notAFolder(path)
}

/** Creates a folder in an existing one, unless it already exists. Throws `FolderError`. */
export async function makeChildFolder(folder: string, mode: number): Promise<void> {
  try {
    await mkdir(folder, { mode })
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EEXIST') return
    const reason = `it cannot be made in ${dirname(folder)}`
    throw new FolderError(folder, reason, { cause: error, code })
  }
}

/** Returns the missing folders on the path, topmost first. */
export async function findMissingFolders(path: string): Promise<readonly string[]> {
  const missing: string[] = []
  for (let folder = resolve(path); !(await exists(folder)); folder = dirname(folder)) {
    missing.unshift(folder)
    if (folder === dirname(folder)) break
  }
  return missing
}

/** Whether the folder exists and is writable, or could be created. Changes nothing. Throws `FolderError`. */
export async function checkFolder(path: string): Promise<void> {
  const [topmost] = await findMissingFolders(path)
  const existing = topmost === undefined ? resolve(path) : dirname(topmost)
  if (!(await stat(existing)).isDirectory()) throw notAFolder(existing)
  try {
    await access(existing, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new FolderError(existing, 'this user may not write to it', { cause: error, code: codeOf(error) })
  }
}

/** Returns the names in the folder; none if it is missing or unreadable. */
export async function listFolder(path: string): Promise<readonly string[]> {
  return await readdir(path).catch(() => [])
}

/** Removes the folder and its subfolders if they contain no files. */
export async function removeEmptyFolders(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) if (entry.isDirectory()) await removeEmptyFolders(join(path, entry.name))
  await removeFolderIfEmpty(path)
}

/** Does nothing if the folder is missing or not empty. */
export async function removeFolderIfEmpty(path: string): Promise<void> {
  try {
    await rmdir(path)
  } catch {
    // It is in use or already removed.
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') return false
    throw new FolderError(path, 'it cannot be looked at', { cause: error, code })
  }
}

function notAFolder(path: string): FolderError {
  return new FolderError(path, 'it is not a folder', { code: 'ENOTDIR' })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}
