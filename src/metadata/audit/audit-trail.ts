/** What those who change something or refuse it tell the audit; `audit/audit.ts` writes it. */
import type { AuditAction, AuditOutcome } from './audit-actions.ts'
import type { Transaction } from '../handles.ts'

/** Who did it, from where. */
export interface AuditActor {
  /** `user:1`, `robot:2`, `anonymous`, or `operator` for the command line, `system` for the registry itself. */
  readonly id: string
  /** Of the account, or of the system's user where the operator acts; else empty. */
  readonly name: string
  /** What proved it: `password`, `access-token:<id>`; never a secret. */
  readonly credential?: string | undefined
  readonly address?: string | undefined
  /** What the client calls itself. */
  readonly client?: string | undefined
  readonly requestId?: string | undefined
}

export type AuditTargetKind = 'repository' | 'owner' | 'user' | 'robot' | 'team' | 'role' | 'settings'

export interface AuditTarget {
  readonly kind: AuditTargetKind
  /** `acme/web`; of a team `acme/dev`, of a robot `acme+ci`, of a grant the owner that it is on. */
  readonly name: string
}

export type AuditDetail = Readonly<
  Record<string, string | number | boolean | null | undefined | readonly string[]>
>

export interface AuditEntry {
  readonly action: AuditAction
  readonly outcome: AuditOutcome
  readonly target?: AuditTarget | undefined
  /** What changed; never a secret. */
  readonly detail?: AuditDetail | undefined
}

export interface AuditTrail {
  /** In the transaction of the change: either both are there or neither. */
  change(tx: Transaction, actor: AuditActor, ...entries: readonly AuditEntry[]): Promise<void>
  /** For what changes nothing: written within a second, lost with a crash before that. */
  record(actor: AuditActor, entry: AuditEntry): void
  /** As `record`, at most once a minute for each key: for what costs who does it nothing. */
  recordOnce(actor: AuditActor, entry: AuditEntry, key: string): void
}
