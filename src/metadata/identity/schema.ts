/** The tables of accounts and their credentials. */
import type { Generated } from 'kysely'

export interface AccountTable {
  id: Generated<number>
  name: string
  kind: Generated<'user' | 'robot'>
  owner_id: number | null
  password_hash: string
  is_admin: 0 | 1
  disabled: 0 | 1
  credential_version: number
  created_at: number
  password_set_at: number
}

export interface AccessTokenTable {
  id: Generated<number>
  account_id: number
  name: string
  token_hash: string
  hint: string
  actions: string | null
  patterns: string | null
  created_at: number
  created_by: string
  expires_at: number | null
  used_at: number | null
  revoked_at: number | null
  lifetime_ms: number | null
  first_id: number | null
}

export interface BrowserSessionTable {
  id: Generated<number>
  token_hash: string
  account_id: number
  credential_version: number
  created_at: number
  used_at: number
  expires_at: number
  address: string
  client: string | null
}

export interface RefreshTokenTable {
  id: Generated<number>
  token_hash: string
  account_id: number
  credential_version: number
  client_id: string | null
  created_at: number
  used_at: number
}

export interface SigningKeyTable {
  kid: string
  state: 'active' | 'retired'
  public_key: string
  private_key: string | null
  created_at: number
  verify_until: number | null
}

export interface IdentityTables {
  account: AccountTable
  access_token: AccessTokenTable
  browser_session: BrowserSessionTable
  refresh_token: RefreshTokenTable
  signing_key: SigningKeyTable
}
