/**
 * Referrers of a subject (distribution-spec end-12): descriptors stored ready to serve, in the order they were
 * pushed. An unknown repository or subject has none, which is an answer and no error.
 */
import type { Asker } from '../access/policy.ts'
import { Turns } from '../lib/turns/turns.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { listReferrers } from '../metadata/content/referrers.ts'
import type { ReferrersPage } from '../metadata/content/referrers.ts'
import type { Digest } from '../oci/digest.ts'
import type { RepositoryName } from '../oci/repository-name.ts'

export type { ReferrersPage }

/** Clients read an index whole, and many stop at 4 MiB: a page ends before that, whatever its count. */
const maxPageBytes = 3 * 1024 * 1024
/** A type that few of many referrers have ends a page after so many turns. */
const maxTurns = 100

export interface ReferrersQuery {
  /** Empty: all. */
  readonly artifactTypes: readonly string[]
  /** What `next` of the page before said. */
  readonly cursor?: number | undefined
  readonly limit: number
  /** `false`: the sizes alone, for the head of a page. Default `true`. */
  readonly withDescriptors?: boolean
  readonly asker?: Asker | undefined
}

export interface Referrers {
  /**
   * A page has one descriptor at least, unless it ends early because others were filtered out. Throws what aborts the
   * signal.
   */
  list(repository: RepositoryName, subject: Digest, query: ReferrersQuery): Promise<ReferrersPage>
}

export function createReferrers(metadata: Metadata): Referrers {
  return {
    list: (repository, subject, { artifactTypes, cursor, limit, withDescriptors = true, asker }) =>
      listReferrers(metadata.reader, {
        repository,
        subject,
        artifactTypes,
        after: cursor,
        limit,
        maxBytes: maxPageBytes,
        withDescriptors,
        turns: new Turns({ ...asker, maxTurns }),
      }),
  }
}
