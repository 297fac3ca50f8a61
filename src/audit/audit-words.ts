/** The words of the audit as lists, for those who describe what can be asked. */
import { auditActions, auditOutcomes } from '../metadata/audit/audit-actions.ts'
import type { AuditAction, AuditOutcome } from '../metadata/audit/audit-actions.ts'

export const auditActionNames = Object.keys(auditActions) as AuditAction[]

export const auditOutcomeNames = Object.keys(auditOutcomes) as AuditOutcome[]
