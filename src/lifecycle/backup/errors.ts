/** What backup, verification and restore fail with; each message says what to do. */

/** The command cannot do this with what it found; nothing was changed, or what was begun can be run again. */
export class BackupRefused extends Error {
  override readonly name = 'BackupRefused'
}

export type BlobFault = 'missing' | 'size' | 'digest' | 'unreadable'

/** One blob cannot be copied; the others can. */
export class BlobDamaged extends Error {
  override readonly name = 'BlobDamaged'
  readonly fault: BlobFault
  constructor(fault: BlobFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.fault = fault
  }
}
