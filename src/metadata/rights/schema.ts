/** The tables of roles and grants. */
import type { Generated } from 'kysely'

export interface RoleTable {
  id: Generated<number>
  name: string
  actions: string
  built_in: 0 | 1
  created_at: number
}

export interface AccessGrantTable {
  id: Generated<number>
  owner_id: number
  pattern: string
  role_id: number
  principal_kind: 'account' | 'team'
  principal_id: number
  created_at: number
  created_by: string
}

export interface RightsTables {
  role: RoleTable
  access_grant: AccessGrantTable
}
