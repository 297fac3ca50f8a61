/** Opens the audit; used by the server and by the commands beside it. */
import { createAudit } from '../audit/audit.ts'
import type { Audit, AuditDeps } from '../audit/audit.ts'

export type OpenAudit = Audit

export function openAudit(deps: AuditDeps): OpenAudit {
  return createAudit(deps)
}
