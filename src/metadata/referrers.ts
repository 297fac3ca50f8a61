/** Referrers: manifests of a repository whose subject is a given digest, whether that exists here or not. */
import type { Digest } from '../oci/digest.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { Reader } from './handles.ts'
import { compileOnce } from './sql/compile-once.ts'
import type { TemplateInput } from './sql/compile-once.ts'
import { databaseOf, isAnyOf, listParameter } from './sql/database.ts'

export interface ReferrerRow {
  /** The cursor of the next page. */
  readonly id: number
  /** JSON, ready to serve. */
  readonly descriptor: string
}

interface PageParameters {
  repository: string
  subject: string
  after: number
  limit: number
}

const allReferrers = compileOnce<PageParameters, ReferrerRow>((input) => selectReferrers(input))

const referrersOfTypes = compileOnce<PageParameters & { artifactTypes: unknown }, ReferrerRow>((input) =>
  selectReferrers(input).where(
    isAnyOf(input.dialect, 'manifest.artifact_type', input.parameter('artifactTypes')),
  ),
)

/** In the order of their first push. Empty when the repository or the subject is unknown. */
export async function listReferrers(
  db: Reader,
  page: {
    readonly repository: RepositoryName
    readonly subject: Digest
    /** Empty: all. */
    readonly artifactTypes: readonly string[]
    readonly after?: number | undefined
    readonly limit: number
  },
): Promise<ReferrerRow[]> {
  const { repository, subject, artifactTypes, after = 0, limit } = page
  const parameters = { repository, subject, after, limit }
  const rows =
    artifactTypes.length === 0
      ? await allReferrers.all(db, parameters)
      : await referrersOfTypes.all(db, {
          ...parameters,
          artifactTypes: listParameter(databaseOf(db).dialect, artifactTypes),
        })
  return rows.map((row) => ({ id: row.id, descriptor: row.descriptor }))
}

function selectReferrers({ kysely, parameter }: Pick<TemplateInput<PageParameters>, 'kysely' | 'parameter'>) {
  return kysely
    .selectFrom('repository')
    .innerJoin('manifest', 'manifest.repository_id', 'repository.id')
    .select(['manifest.id', 'manifest.descriptor'])
    .where('repository.name', '=', parameter('repository'))
    .where('manifest.subject_digest', '=', parameter('subject'))
    .where('manifest.id', '>', parameter('after'))
    .orderBy('manifest.id')
    .limit(parameter('limit'))
}
