/** Opens the audit for the server and for CLI commands. */
import { createAudit } from '../audit/audit.ts'
import type { Audit, AuditDeps } from '../audit/audit.ts'

export type OpenAudit = Audit

export function openAudit(deps: AuditDeps): OpenAudit {
  return createAudit(deps)
}
