/** The table of repositories. */
import type { Generated } from 'kysely'
import type { Visibility } from '../owners/schema.ts'

export interface RepositoryTable {
  id: Generated<number>
  owner_id: number
  name: string
  visibility: Visibility
  created_at: number
}

export interface RepositoryTables {
  repository: RepositoryTable
}
