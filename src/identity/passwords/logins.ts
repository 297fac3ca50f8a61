/** Records the results of logins in the audit and the metrics. Unknown names are not recorded: one may be a password. */
import type { LoginOutcome } from '../../metadata/audit/audit-actions.ts'
import type { AuditTrail } from '../../metadata/audit/audit-trail.ts'
import { actorOf } from '../actor.ts'
import type { Origin } from '../identity.ts'
import { anonymous, principalId } from '../principal.ts'

export interface Login {
  /** Absent if no account has the given name. */
  readonly account:
    | { readonly kind: 'user' | 'robot'; readonly id: number; readonly name: string }
    | undefined
  /** The given credential: `password`, or the kind and id of a token. */
  readonly credential: string
  readonly outcome: LoginOutcome
}

export interface Logins {
  record(login: Login, origin: Origin): void
}

export interface LoginsDeps {
  readonly audit: AuditTrail
  readonly onLogin?: ((outcome: LoginOutcome) => void) | undefined
}

export function createLogins({ audit, onLogin }: LoginsDeps): Logins {
  return {
    record({ account, credential, outcome }, origin) {
      onLogin?.(outcome)
      const stranger = { ...actorOf(anonymous, origin), credential }
      // A failed login does not prove the account: it is the target, not the actor.
      const actor =
        account === undefined || outcome !== 'granted'
          ? stranger
          : { ...stranger, id: principalId({ ...account, accountId: account.id }), name: account.name }
      const target = account && { kind: account.kind, name: account.name }
      const entry = { action: 'login', outcome, target } as const
      if (outcome === 'throttled') audit.recordOnce(actor, entry, origin.address)
      else audit.record(actor, entry)
    },
  }
}
