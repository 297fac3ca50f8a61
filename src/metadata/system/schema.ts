/** The tables of the installation as a whole. */
import type { Generated } from 'kysely'

export interface InstallationTable {
  singleton: number
  id: string
  created_at: number
  judges_since: Generated<number>
  accepted_at: number | null
}

export interface LeaseTable {
  name: string
  holder: string
  generation: number
  expires_at: number
}

export interface ListCursorKeyTable {
  singleton: number
  key: string
}

export interface RightsVersionTable {
  singleton: number
  version: number
}

export interface SchemaMigrationTable {
  name: string
  applied_at: number
}

export interface SystemTables {
  installation: InstallationTable
  lease: LeaseTable
  list_cursor_key: ListCursorKeyTable
  rights_version: RightsVersionTable
  schema_migration: SchemaMigrationTable
}
