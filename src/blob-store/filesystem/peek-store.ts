/** Inspects a store without opening it: creates and changes nothing. */
import { createLayout, isProbe, shardNames } from './layout.ts'
import { listNames } from './segments/remove-segments.ts'
import { readText } from './files/small-files.ts'
import { isAbsent, translated } from './files/translate-error.ts'

export interface StoreContents {
  readonly installationId: string | undefined
  /** Whether the store has no blobs, no segments, nothing set aside and no foreign files. */
  readonly isEmpty: boolean
}

/** Treats a root that does not exist as an empty store. Throws `StoreUnavailable`. */
export function peekFilesystemStore(root: string): Promise<StoreContents> {
  const layout = createLayout(root)
  return translated('read its folders', async () => {
    const folders = [layout.uploads, ...shardNames().map((shard) => `${layout.blobs}/${shard}`)]
    for await (const day of namesIn(layout.orphans)) folders.push(`${layout.orphans}/${day}`)
    return { installationId: await readText(layout.installation), isEmpty: await areEmpty(folders) }
  })
}

/** Even an empty store has hundreds of folders; they are read in groups. */
const foldersAtOnce = 32

async function areEmpty(folders: readonly string[]): Promise<boolean> {
  for (let start = 0; start < folders.length; start += foldersAtOnce) {
    const group = folders.slice(start, start + foldersAtOnce)
    const found = await Promise.all(group.map((folder) => isEmpty(folder)))
    if (found.includes(false)) return false
  }
  return true
}

async function isEmpty(folder: string): Promise<boolean> {
  for await (const name of namesIn(folder)) if (!isProbe(name)) return false
  return true
}

async function* namesIn(folder: string): AsyncGenerator<string> {
  try {
    yield* listNames(folder)
  } catch (error) {
    if (!isAbsent(error)) throw error
  }
}
