import type { Clock } from '../../lib/clock.ts'
import type { AuditTrail } from '../../metadata/audit/audit-trail.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import type { PasswordHasher } from '../passwords/password-hash.ts'

/** The dependencies of the account services. */
export interface AccountsDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly audit: AuditTrail
  readonly passwords: PasswordHasher
  /** The file that keeps the generated password of the first administrator. */
  readonly initialPasswordFile: string
}
