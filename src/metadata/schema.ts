/**
 * All tables as Kysely types. Each aggregate declares its own tables, `migrations/` creates them and
 * `docs/data-model.md` describes them.
 */
import type { AuditTables } from './audit/schema.ts'
import type { ContentTables } from './content/schema.ts'
import type { IdentityTables } from './identity/schema.ts'
import type { OwnerTables } from './owners/schema.ts'
import type { RepositoryTables } from './repositories/schema.ts'
import type { RightsTables } from './rights/schema.ts'
import type { SystemTables } from './system/schema.ts'

export interface Schema
  extends
    SystemTables,
    AuditTables,
    OwnerTables,
    IdentityTables,
    RepositoryTables,
    RightsTables,
    ContentTables {}
