/** The tables as Kysely types; `migrations/` creates them and `docs/data-model.md` says what they mean. */
import type { Generated } from 'kysely'

export type Visibility = 'public' | 'internal' | 'private'

interface OwnerTable {
  id: Generated<number>
  name: string
  kind: 'user' | 'organization'
  visibility: Visibility
  created_at: number
}

interface RepositoryTable {
  id: Generated<number>
  owner_id: number
  name: string
  visibility: Visibility
  created_at: number
}

interface ManifestTable {
  id: Generated<number>
  repository_id: number
  digest: string
  media_type: string
  artifact_type: string | null
  subject_digest: string | null
  size: number
  platform: string | null
  pushed_by: string
  created_at: number
  pushed_at: number
  descriptor: string
}

interface ManifestContentTable {
  digest: string
  bytes: Uint8Array
}

interface TagTable {
  repository_id: number
  name: string
  digest: string
  created_at: number
  updated_at: number
}

interface ManifestBlobTable {
  repository_id: number
  manifest_id: number
  position: number
  blob_digest: string
  role: 'config' | 'layer' | 'entry'
  media_type: string
  size: number
}

interface ManifestChildTable {
  repository_id: number
  index_id: number
  position: number
  child_digest: string
  platform: string | null
}

interface BlobTable {
  digest: string
  storage_key: string
  size: number
  created_at: number
  linked: 0 | 1
}

interface BlobLinkTable {
  repository_id: number
  digest: string
  linked_at: number
  state: 'live' | 'hidden'
}

interface DeadKeyTable {
  storage_key: string
  digest: string | null
  since: number
  attempts: Generated<number>
  retry_at: Generated<number>
}

interface PropertyTable {
  id: Generated<number>
  ref_type: 'manifest'
  ref_id: number
  name: string
  value: string
}

interface UploadTable {
  id: string
  repository: string
  principal: string
  holder: string | null
  storage_key: string
  generation: number
  writer: string | null
  segments: string
  byte_offset: number
  hash_algorithm: 'sha256' | 'sha512' | null
  hash_offset: number | null
  hash_digest: string | null
  hash_state: Uint8Array | null
  created_at: number
  touched_at: number
}

interface LeaseTable {
  name: string
  holder: string
  generation: number
  expires_at: number
}

interface InstallationTable {
  singleton: number
  id: string
  created_at: number
  judges_since: Generated<number>
  accepted_at: number | null
}

interface AccountTable {
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

interface OwnerAliasTable {
  name: string
  owner_id: number
  created_at: number
}

interface OrganizationMemberTable {
  owner_id: number
  account_id: number
  created_at: number
}

interface TeamTable {
  id: Generated<number>
  owner_id: number
  name: string
  created_at: number
}

interface TeamMemberTable {
  team_id: number
  account_id: number
  created_at: number
}

interface RoleTable {
  id: Generated<number>
  name: string
  actions: string
  built_in: 0 | 1
  created_at: number
}

interface AccessGrantTable {
  id: Generated<number>
  owner_id: number
  pattern: string
  role_id: number
  principal_kind: 'account' | 'team'
  principal_id: number
  created_at: number
  created_by: string
}

interface RightsVersionTable {
  singleton: number
  version: number
}

interface AccessTokenTable {
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

interface BrowserSessionTable {
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

interface RefreshTokenTable {
  id: Generated<number>
  token_hash: string
  account_id: number
  credential_version: number
  client_id: string | null
  created_at: number
  used_at: number
}

interface SigningKeyTable {
  kid: string
  state: 'active' | 'retired'
  public_key: string
  private_key: string | null
  created_at: number
  verify_until: number | null
}

interface AuditEventTable {
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

interface ListCursorKeyTable {
  singleton: number
  key: string
}

interface SchemaMigrationTable {
  name: string
  applied_at: number
}

export interface Schema {
  owner: OwnerTable
  repository: RepositoryTable
  manifest: ManifestTable
  manifest_content: ManifestContentTable
  tag: TagTable
  manifest_blob: ManifestBlobTable
  manifest_child: ManifestChildTable
  blob: BlobTable
  blob_link: BlobLinkTable
  dead_key: DeadKeyTable
  property: PropertyTable
  upload: UploadTable
  lease: LeaseTable
  installation: InstallationTable
  account: AccountTable
  owner_alias: OwnerAliasTable
  organization_member: OrganizationMemberTable
  team: TeamTable
  team_member: TeamMemberTable
  role: RoleTable
  access_grant: AccessGrantTable
  rights_version: RightsVersionTable
  access_token: AccessTokenTable
  browser_session: BrowserSessionTable
  refresh_token: RefreshTokenTable
  signing_key: SigningKeyTable
  audit_event: AuditEventTable
  list_cursor_key: ListCursorKeyTable
  schema_migration: SchemaMigrationTable
}
