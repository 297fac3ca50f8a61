/**
 * Referrers of a subject (distribution-spec end-12): descriptors stored ready to serve, in the order they were
 * pushed. An unknown repository or subject has none, which is an answer and no error.
 */
import type { Metadata } from '../metadata/metadata.ts'
import { listReferrers } from '../metadata/referrers.ts'
import type { Digest } from '../oci/digest.ts'
import type { RepositoryName } from '../oci/repository-name.ts'

/** Clients read an index whole, and many stop at 4 MiB: a page ends before that, whatever its count. */
const maxPageBytes = 3 * 1024 * 1024

export interface ReferrersPage {
  /** Empty: all. */
  readonly artifactTypes: readonly string[]
  /** What `next` of the page before said. */
  readonly cursor?: number | undefined
  readonly limit: number
}

export interface Referrers {
  list(
    repository: RepositoryName,
    subject: Digest,
    page: ReferrersPage,
  ): Promise<{ descriptors: readonly string[]; next: number | undefined }>
}

export function createReferrers(metadata: Metadata): Referrers {
  return {
    async list(repository, subject, { artifactTypes, cursor, limit }) {
      const rows = await listReferrers(metadata.reader, {
        repository,
        subject,
        artifactTypes,
        limit: limit + 1,
        ...(cursor !== undefined && { after: cursor }),
      })
      const fitting = rows.slice(0, Math.min(limit, countFitting(rows)))
      const next = fitting.length < rows.length ? fitting.at(-1)?.id : undefined
      return { descriptors: fitting.map((row) => row.descriptor), next }
    },
  }
}

/** At least one, or a page would never end. */
function countFitting(rows: readonly { descriptor: string }[]): number {
  let bytes = 0
  const over = rows.findIndex((row, index) => {
    bytes += row.descriptor.length
    return index > 0 && bytes > maxPageBytes
  })
  return over === -1 ? rows.length : over
}
