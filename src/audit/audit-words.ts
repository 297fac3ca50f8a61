/** The audit actions and outcomes as lists, for descriptions of the search parameters. */
import { auditActions, auditOutcomes } from '../metadata/audit/audit-actions.ts'
import type { AuditAction, AuditOutcome } from '../metadata/audit/audit-actions.ts'

export const auditActionNames = Object.keys(auditActions) as AuditAction[]

export const auditOutcomeNames = Object.keys(auditOutcomes) as AuditOutcome[]
