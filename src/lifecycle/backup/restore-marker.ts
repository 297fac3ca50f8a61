/**
 * The text that replaces a store's installation id while a restore fills the store. The store then belongs to no database, so no
 * registry starts on it, and a repeated restore recognises its own work.
 */

export interface UnfinishedRestore {
  readonly snapshot: string
  readonly installation: string
}

const pattern = /^unfinished restore of (?<snapshot>\S+) of (?<installation>\S+)$/

export function formatRestoreMarker({ snapshot, installation }: UnfinishedRestore): string {
  return `unfinished restore of ${snapshot} of ${installation}`
}

/** Returns `undefined` for the id of an installation. */
export function parseRestoreMarker(text: string | undefined): UnfinishedRestore | undefined {
  const { snapshot, installation } = pattern.exec(text ?? '')?.groups ?? {}
  if (snapshot === undefined || installation === undefined) return undefined
  return { snapshot, installation }
}

/** The store is only partly restored and must not be served. */
export class UnfinishedRestoreError extends Error {
  override readonly name = 'UnfinishedRestoreError'
  constructor({ snapshot }: UnfinishedRestore) {
    super(
      `storage: the restore of snapshot ${snapshot} into this store has not finished; run the same lading restore again to continue it`,
    )
  }
}

/** Throws `UnfinishedRestoreError` when a restore into the store has not finished. */
export function refuseUnfinishedRestore(installationOfStore: string | undefined): void {
  const unfinished = parseRestoreMarker(installationOfStore)
  if (unfinished !== undefined) throw new UnfinishedRestoreError(unfinished)
}
