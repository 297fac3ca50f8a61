/** What the metadata database can fail with; each driver translates its own errors into these in one function. */

/** Rows changed under a transaction in a way that repetition did not solve, or a constraint refused it. */
export class Conflict extends Error {
  override readonly name = 'Conflict'
}

/** No space left for metadata: nothing of the transaction was kept, reading goes on. */
export class MetadataFull extends Error {
  override readonly name = 'MetadataFull'
}

/** The database does not answer. A write that failed with this may or may not have been committed. */
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
