/**
 * Lists the referrers of a subject (distribution-spec end-12): descriptors stored ready to serve, in the order of their pushes.
 * An unknown repository or subject has an empty list; that is not an error.
 */
import type { Asker } from '../access/policy.ts'
import { Turns } from '../lib/turns/turns.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { listReferrers } from '../metadata/content/referrers.ts'
import type { ReferrersPage } from '../metadata/content/referrers.ts'
import type { Digest } from '../oci/digest.ts'
import type { RepositoryName } from '../oci/repository-name.ts'

export type { ReferrersPage }

/** Clients read an index whole, and many reject more than 4 MiB: a page ends before that, regardless of its count. */
const maxPageBytes = 3 * 1024 * 1024
/** A page ends after this many turns if few of many referrers have the requested type. */
const maxTurns = 100

export interface ReferrersQuery {
  /** Empty: all types. */
  readonly artifactTypes: readonly string[]
  /** `next` of the previous page. */
  readonly cursor?: number | undefined
  readonly limit: number
  /** `false` returns only the sizes, for the head of a page. Default `true`. */
  readonly withDescriptors?: boolean
  readonly asker?: Asker | undefined
}

export interface Referrers {
  /** A page has at least one descriptor, unless it ends early because others were filtered out. Throws the signal's reason. */
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
