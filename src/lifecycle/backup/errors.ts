/** The errors of backup, verification and restore; each message says what to do. */

/** The command cannot continue; either nothing was changed, or the command can be run again. */
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
