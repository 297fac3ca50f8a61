import type { Audit } from '../../audit/audit.ts'
import type { Authenticator, TokenService } from '../../identity/identity.ts'
import type { Policy } from '../../access/policy.ts'
import type { FormerNames } from '../../access/former-names/former-names.ts'
import type { Ids } from '../../lib/ids.ts'
import type { Registry } from '../../registry/registry.ts'
import type { HttpLimits } from '../limits.ts'
import type { Log } from '../log.ts'
import type { MetricsEndpoint } from '../metrics/metrics-endpoint.ts'

export interface Readiness {
  readonly ready: boolean
  /** One entry per dependency: `ok`, or a description of the problem that anyone may see. */
  readonly checks: Readonly<Record<string, string>>
}

/** The dependencies of the handlers. */
export interface HandlerDeps {
  readonly registry: Registry
  readonly authenticator: Authenticator
  readonly tokens: TokenService
  readonly policy: Policy
  readonly formerNames: FormerNames
  readonly audit: Pick<Audit, 'pulled' | 'recordOnce'>
  readonly ids: Ids
  readonly limits: HttpLimits
  readonly log: Log
  readonly health: () => Promise<Readiness>
  /** Absent if this listener does not serve `/metrics`. */
  readonly metrics?: MetricsEndpoint | undefined
}
