/** The interface through which changes and refusals reach the audit; `audit/audit.ts` implements it. */
import type { AuditAction, AuditOutcome } from './audit-actions.ts'
import type { Transaction } from '../handles.ts'

/** The actor of an event, and where it came from. */
export interface AuditActor {
  /** `user:1`, `robot:2`, `anonymous`, or `operator` for the command line, `system` for the registry itself. */
  readonly id: string
  /** The name of the account, or of the system user for an operator; otherwise empty. */
  readonly name: string
  /** The credential: `password` or `access-token:<id>`; never a secret. */
  readonly credential?: string | undefined
  readonly address?: string | undefined
  /** The client's name for itself. */
  readonly client?: string | undefined
  readonly requestId?: string | undefined
}

export type AuditTargetKind = 'repository' | 'owner' | 'user' | 'robot' | 'team' | 'role' | 'settings'

export interface AuditTarget {
  readonly kind: AuditTargetKind
  /**
   * The name of the target: `acme/web` for a repository, `acme/dev` for a team, `acme+ci` for a robot, the owner for a
   * grant.
   */
  readonly name: string
}

export type AuditDetail = Readonly<
  Record<string, string | number | boolean | null | undefined | readonly string[]>
>

export interface AuditEntry {
  readonly action: AuditAction
  readonly outcome: AuditOutcome
  readonly target?: AuditTarget | undefined
  /** The details of the change; never a secret. */
  readonly detail?: AuditDetail | undefined
}

export interface AuditTrail {
  /** Records a change in the same transaction, so that either both exist or neither. */
  change(tx: Transaction, actor: AuditActor, ...entries: readonly AuditEntry[]): Promise<void>
  /** Records an event without a change. It is written within a second; a crash before that loses it. */
  record(actor: AuditActor, entry: AuditEntry): void
  /** Like `record`, but at most once a minute for each key: for events that cost the client nothing to cause. */
  recordOnce(actor: AuditActor, entry: AuditEntry, key: string): void
}
