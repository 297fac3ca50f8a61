/** The errors of the metadata database. Each driver translates its own errors into these in one function. */

/** Retries did not resolve a conflict with another transaction, or a constraint refused the change. */
export class Conflict extends Error {
  override readonly name = 'Conflict'
}

/** There is no space left for metadata. The transaction was rolled back; reads still work. */
export class MetadataFull extends Error {
  override readonly name = 'MetadataFull'
}

/** The database does not answer. A write that failed with this error may or may not have been committed. */
export class MetadataUnavailable extends Error {
  override readonly name = 'MetadataUnavailable'
  readonly retryable: boolean
  constructor(message: string, options: ErrorOptions & { retryable: boolean }) {
    super(message, options)
    this.retryable = options.retryable
  }
}

/** The database was written by a newer Lading; starting would risk its data. */
export class MetadataTooNew extends Error {
  override readonly name = 'MetadataTooNew'
  readonly unknownMigrations: readonly string[]
  constructor(unknownMigrations: readonly string[], options?: ErrorOptions) {
    super(
      `the metadata database has migrations that this version does not know (${unknownMigrations.join(', ')}); ` +
        'start the version that wrote it, or a newer one',
      options,
    )
    this.unknownMigrations = unknownMigrations
  }
}
