import type { Clock } from '../lib/clock.ts'
import type { AuditTrail } from '../metadata/audit/audit-trail.ts'
import type { Metadata } from '../metadata/metadata.ts'

/** The dependencies of the services of this folder. */
export interface OrganizationsDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly audit: AuditTrail
}
