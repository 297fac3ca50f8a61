/** The words of the audit as lists, for those who describe what can be asked. */
import { auditActions } from '../metadata/audit-actions.ts'
import type { AuditAction, AuditOutcome } from '../metadata/audit-actions.ts'

export const auditActionNames = Object.keys(auditActions) as AuditAction[]

/** Complete by type. */
const outcomes: Readonly<Record<AuditOutcome, true>> = {
  done: true,
  denied: true,
  granted: true,
  'wrong-password': true,
  unknown: true,
  disabled: true,
  expired: true,
  revoked: true,
  throttled: true,
}

export const auditOutcomeNames = Object.keys(outcomes) as AuditOutcome[]
