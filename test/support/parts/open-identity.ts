/** Identity for tests of other parts: everyone is anonymous and may do everything. */
import type { Authenticator, TokenService } from '../../../src/identity/identity.ts'
import type { Policy } from '../../../src/access/policy.ts'
import { anonymous } from '../../../src/identity/principal.ts'

export const openPolicy: Policy = {
  mayEnter: () => true,
  decide: () => ({ allowed: true, push: { create: true, update: true } }),
  decideOwner: () => ({ allowed: true }),
  explain: () =>
    Promise.resolve({
      allowed: true,
      text: 'allowed because everything is',
      reason: 'everything is',
      grantId: undefined,
      remedy: undefined,
    }),
  grant: (_principal, scopes) => Promise.resolve([...scopes]),
  visibleTo: () => ({ all: true }),
  ownersSeenBy: () => ({ visibilities: ['public', 'internal', 'private'], names: [] }),
  newRepositoryVisibility: () => 'public',
}

export const openAuthenticator: Authenticator = {
  isCurrent: () => true,
  authenticate: () => anonymous,
  login: () => Promise.reject(new Error('nobody has an account here')),
}

export const noTokens: TokenService = {
  issue: () => Promise.reject(new Error('no tokens are made here')),
  refresh: () => Promise.reject(new Error('no tokens are made here')),
}
