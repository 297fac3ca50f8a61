import type { Metadata } from '../metadata.ts'

/** What the suites are run against; opened before the first test. */
export interface ContractSubject {
  readonly metadata: () => Metadata
}
