/**
 * Requests that must be indistinguishable cost the same queries, which are counted and not timed. `test/proof/timing.test.ts` has
 * the times.
 */
import { describe, expect, test } from 'vitest'
import { createPolicy, type AnonymousMode } from '../src/access/access-policy.ts'
import { anonymous, type Principal } from '../src/identity/principal.ts'
import { noGrants } from '../src/access/grants/held-grants.ts'
import { parseScopes } from '../src/access/scope.ts'
import type { RepositoryAccess } from '../src/metadata/repositories/repositories.ts'
import { parseRepositoryName } from '../src/oci/repository-name.ts'

const bob: Principal = { kind: 'user', accountId: 2, name: 'bob', isAdmin: false, scopes: undefined }
const secret: RepositoryAccess = {
  id: 1,
  visibility: 'private',
  ownerVisibility: 'public',
  ownerName: 'alice',
}

function openPolicy(mode: AnonymousMode): { policy: ReturnType<typeof createPolicy>; asked: string[] } {
  const asked: string[] = []
  const policy = createPolicy({
    anonymous: mode,
    newRepositoryVisibility: 'private',
    findAccess: (repository) => {
      asked.push('access')
      return repository === 'alice/secret' ? secret : undefined
    },
    grantsOf: () => {
      asked.push('grants')
      return noGrants
    },
    findOwner: () => {
      asked.push('owner')
      return undefined
    },
  })
  return { policy, asked }
}

describe('B1: the policy', () => {
  test.each([
    ['none', anonymous],
    ['none', bob],
    ['pull', anonymous],
    ['pull', bob],
  ] as const)(
    'under %s makes as many queries for a forbidden repository as for an absent one',
    async (...given) => {
      const [mode, principal] = given
      const counts = await Promise.all(
        ['alice/secret', 'alice/nothing', 'nobody/nothing'].map(async (name) => {
          const { policy, asked } = openPolicy(mode)
          for (const action of ['pull', 'push', 'delete'] as const) {
            const decision = await policy.decide(principal, action, parseRepositoryName(name))
            expect(decision.allowed).toBe(false)
          }
          const granted = await policy.grant(principal, parseScopes(`repository:${name}:pull,push`))
          expect(granted).toEqual(parseScopes(`repository:${name}:`))
          return asked.join()
        }),
      )
      expect(new Set(counts).size).toBe(1)
    },
  )
})
