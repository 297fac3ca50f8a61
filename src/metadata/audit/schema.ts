/** The table of the audit. */
import type { Generated } from 'kysely'

export interface AuditEventTable {
  id: Generated<number>
  at: number
  action: string
  outcome: string
  actor: string
  actor_name: string
  credential: string | null
  target_kind: string | null
  target: string | null
  target_owner: string | null
  address: string | null
  client: string | null
  request_id: string | null
  detail: string | null
}

export interface AuditTables {
  audit_event: AuditEventTable
}
