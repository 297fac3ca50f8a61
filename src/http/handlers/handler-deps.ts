import type { Audit } from '../../audit/audit.ts'
import type { Authenticator, TokenService } from '../../identity/identity.ts'
import type { Policy } from '../../access/policy.ts'
import type { Aliases } from '../../access/former-names/aliases.ts'
import type { Ids } from '../../lib/ids.ts'
import type { Registry } from '../../registry/registry.ts'
import type { HttpLimits } from '../limits.ts'
import type { Log } from '../log.ts'
import type { MetricsEndpoint } from '../metrics/metrics-endpoint.ts'

export interface Readiness {
  readonly ready: boolean
  /** One entry per dependency: `ok`, or what is wrong in words that may be shown to anyone. */
  readonly checks: Readonly<Record<string, string>>
}

/** What handlers work with. */
export interface HandlerDeps {
  readonly registry: Registry
  readonly authenticator: Authenticator
  readonly tokens: TokenService
  readonly policy: Policy
  readonly aliases: Aliases
  readonly audit: Pick<Audit, 'pulled' | 'recordOnce'>
  readonly ids: Ids
  readonly limits: HttpLimits
  readonly log: Log
  readonly health: () => Promise<Readiness>
  /** Absent: there is no `/metrics` on this listener. */
  readonly metrics?: MetricsEndpoint | undefined
}
