/** The tables of owners, their former names, members and teams. */
import type { Generated } from 'kysely'

export type Visibility = 'public' | 'internal' | 'private'

export interface OwnerTable {
  id: Generated<number>
  name: string
  kind: 'user' | 'organization'
  visibility: Visibility
  created_at: number
}

export interface FormerNameTable {
  name: string
  owner_id: number
  created_at: number
}

export interface OrganizationMemberTable {
  owner_id: number
  account_id: number
  created_at: number
}

export interface TeamTable {
  id: Generated<number>
  owner_id: number
  name: string
  created_at: number
}

export interface TeamMemberTable {
  team_id: number
  account_id: number
  created_at: number
}

export interface OwnerTables {
  owner: OwnerTable
  owner_alias: FormerNameTable
  organization_member: OrganizationMemberTable
  team: TeamTable
  team_member: TeamMemberTable
}
