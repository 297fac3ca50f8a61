/** The tables of a backup: which are copied, in which order, and which are left out. */
import type { Schema } from '../schema.ts'

export interface TableForm {
  /** The primary key; pages are read in its order. */
  readonly key: readonly string[]
  /** The columns whose values may be megabytes long: a page ends before their total exceeds its limit. */
  readonly long?: readonly string[]
  /** Set if the migrations fill the table; the copy replaces those rows. */
  readonly isSeeded?: true
}

type TableName = keyof Schema

/**
 * Tables of work in progress, which only the processes that wrote it can use. A backup does not contain the bytes of upload
 * sessions, the leases no longer have holders, and the backup has no bytes of dead keys to delete.
 */
export const transientTables = ['upload', 'dead_key', 'lease'] as const satisfies readonly TableName[]

type CopiedTable = Exclude<TableName, (typeof transientTables)[number] | 'schema_migration'>

const rowId = { key: ['id'] } as const

/** A table comes before the tables that refer to it. `installation` comes last, as the sign of a complete copy. */
const forms: Readonly<Record<CopiedTable, TableForm>> = {
  owner: rowId,
  account: rowId,
  owner_alias: { key: ['name'] },
  organization_member: { key: ['owner_id', 'account_id'] },
  team: rowId,
  team_member: { key: ['team_id', 'account_id'] },
  role: { ...rowId, isSeeded: true },
  access_grant: rowId,
  rights_version: { key: ['singleton'], isSeeded: true },
  access_token: { ...rowId, long: ['patterns'] },
  browser_session: rowId,
  refresh_token: rowId,
  signing_key: { key: ['kid'] },
  repository: rowId,
  manifest_content: { key: ['digest'], long: ['bytes'] },
  manifest: { ...rowId, long: ['descriptor'] },
  tag: { key: ['repository_id', 'name'] },
  manifest_blob: { key: ['manifest_id', 'position'] },
  manifest_child: { key: ['index_id', 'position'] },
  property: { ...rowId, long: ['value'] },
  blob: { key: ['digest'] },
  blob_link: { key: ['repository_id', 'digest'] },
  list_cursor_key: { key: ['singleton'], isSeeded: true },
  audit_event: { ...rowId, long: ['detail'] },
  installation: { key: ['singleton'] },
}

export const copiedTables: readonly (readonly [name: string, form: TableForm])[] = Object.entries(forms)

/** The tables whose row ids are never reused. */
export const tablesWithRowIds: readonly string[] = copiedTables
  .filter(([, { key }]) => key[0] === 'id')
  .map(([name]) => name)
