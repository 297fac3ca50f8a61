import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { bodyOf, openRegistry, type OpenRegistry } from '../../test/support/parts/open-registry.ts'
import type { AccountPrincipal } from '../identity/principal.ts'
import type { Scope } from '../access/scope.ts'
import { digestBytes, type Digest } from '../oci/digest.ts'
import { parseRepositoryName } from '../oci/repository-name.ts'

const source = parseRepositoryName('alice/secret')
const target = parseRepositoryName('alice/web')
const { signal } = new AbortController()

function alice(scopes: readonly Scope[] | undefined) {
  const principal: AccountPrincipal = { kind: 'user', accountId: 1, name: 'alice', isAdmin: false, scopes }
  return { principal, push: { create: true, update: true } }
}

function scope(name: string, ...actions: string[]): Scope {
  return { type: 'repository', name, actions }
}

async function pushSecret(open: OpenRegistry): Promise<Digest> {
  const bytes = randomBytes(100)
  const digest = digestBytes(bytes)
  const body = bodyOf([bytes])
  await open.registry.uploads.push({ repository: source, caller: alice(undefined), digest, body, signal })
  return digest
}

describe('a mount without from', () => {
  const policy = {
    visibleTo: () => ({ all: false, public: true, owner: 'alice' }) as const,
    newRepositoryVisibility: () => 'private' as const,
  }

  test('finds blobs that the principal may pull when it logged in with its password', async () => {
    await using open = await openRegistry({ policy })
    const digest = await pushSecret(open)
    expect(await open.registry.blobs.mount({ repository: target, digest, caller: alice(undefined) })).toBe(
      true,
    )
  })

  test('B1: finds nothing private that the scopes of a narrower token do not name', async () => {
    await using open = await openRegistry({ policy })
    const digest = await pushSecret(open)
    const narrow = alice([scope(target, 'pull', 'push')])
    expect(await open.registry.blobs.mount({ repository: target, digest, caller: narrow })).toBe(false)
    const named = alice([scope(target, 'pull', 'push'), scope(source, 'pull')])
    expect(await open.registry.blobs.mount({ repository: target, digest, caller: named })).toBe(true)
  })
})
