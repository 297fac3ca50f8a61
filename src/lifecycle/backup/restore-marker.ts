/**
 * What stands in place of a store's installation id while a restore fills it: the store then belongs to no database, so
 * no registry starts on it, and the restore that is run again recognises its own work.
 */

export interface UnfinishedRestore {
  readonly snapshot: string
  readonly installation: string
}

const pattern = /^unfinished restore of (?<snapshot>\S+) of (?<installation>\S+)$/

export function formatRestoreMarker({ snapshot, installation }: UnfinishedRestore): string {
  return `unfinished restore of ${snapshot} of ${installation}`
}

/** `undefined` for the id of an installation. */
export function parseRestoreMarker(text: string | undefined): UnfinishedRestore | undefined {
  const { snapshot, installation } = pattern.exec(text ?? '')?.groups ?? {}
  if (snapshot === undefined || installation === undefined) return undefined
  return { snapshot, installation }
}

/** Refuses to serve what is restored in part. */
export class UnfinishedRestoreError extends Error {
  override readonly name = 'UnfinishedRestoreError'
  constructor({ snapshot }: UnfinishedRestore) {
    super(
      `storage: the restore of snapshot ${snapshot} into this store has not ended; run the same lading restore again, which goes on where it stopped`,
    )
  }
}

/** Throws `UnfinishedRestoreError`. */
export function refuseUnfinishedRestore(installationOfStore: string | undefined): void {
  const unfinished = parseRestoreMarker(installationOfStore)
  if (unfinished !== undefined) throw new UnfinishedRestoreError(unfinished)
}
