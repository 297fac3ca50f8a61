import type { Metadata } from '../metadata.ts'

/** The database that the suites run against; opened before the first test. */
export interface ContractSubject {
  readonly metadata: () => Metadata
}
