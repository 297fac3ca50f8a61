import { describe, expect, test } from 'vitest'
import type { RepositoryAccess } from '../metadata/repositories/repositories.ts'
import { parseRepositoryName } from '../oci/repository-name.ts'
import { createPolicy, type AnonymousMode } from './access-policy.ts'
import type { Action, Decision, Policy } from './policy.ts'
import { anonymous, type Principal } from '../identity/principal.ts'
import { parseRepositoryPattern } from './patterns/repository-pattern.ts'
import { noGrants } from './grants/held-grants.ts'
import { formatScope, parseScopes } from './scope.ts'

const bob: Principal = { kind: 'user', accountId: 2, name: 'bob', isAdmin: false, scopes: undefined }
const root: Principal = { kind: 'user', accountId: 1, name: 'root', isAdmin: true, scopes: undefined }

function access(visibility: RepositoryAccess['visibility'], ownerVisibility = visibility): RepositoryAccess {
  return { id: 1, visibility, ownerVisibility, ownerName: 'acme' }
}

const repositories: Record<string, RepositoryAccess> = {
  'acme/public': access('public'),
  'acme/internal': access('internal', 'public'),
  'acme/private': access('private', 'public'),
  'hidden/public': access('public', 'private'),
  'staff/public': access('public', 'internal'),
}
const owners: Record<string, { visibility: 'public' | 'internal' | 'private' }> = {
  acme: { visibility: 'public' },
  hidden: { visibility: 'private' },
  staff: { visibility: 'internal' },
}

function open(mode: AnonymousMode): Policy {
  return createPolicy({
    anonymous: mode,
    newRepositoryVisibility: 'private',
    findAccess: (name) => repositories[name],
    grantsOf: () => noGrants,
    findOwner: (name) => Promise.resolve(owners[name]),
  })
}

async function rightsOf(policy: Policy, principal: Principal, name: string): Promise<string> {
  const actions: Action[] = ['pull', 'push', 'delete']
  const repository = parseRepositoryName(name)
  const decide = async (action: Action) => policy.decide(principal, action, repository)
  const decisions = await Promise.all(actions.map(decide))
  return actions.filter((_, index) => decisions[index]!.allowed).join(' ')
}

function withScopes(principal: Principal, text: string): Principal {
  return { ...principal, scopes: parseScopes(text) }
}

const everything = 'pull push delete'

describe('the policy', () => {
  // oxfmt-ignore
  test.each([
    // repository        none: anonymous, bob      pull: anonymous, bob     push: anonymous, bob
    ['acme/public',      '', 'pull',               'pull', 'pull',          everything, everything],
    ['acme/internal',    '', 'pull',               '', 'pull',              '', 'pull'],
    ['acme/private',     '', '',                   '', '',                  '', ''],
    ['hidden/public',    '', '',                   '', '',                  '', ''],
    ['staff/public',     '', 'pull',               '', 'pull',              '', 'pull'],
    ['acme/absent',      '', '',                   '', '',                  everything, everything],
    ['hidden/absent',    '', '',                   '', '',                  '', ''],
    ['staff/absent',     '', '',                   '', '',                  '', ''],
    ['nobody/absent',    '', '',                   '', '',                  everything, everything],
    ['bob/absent',       '', everything,           '', everything,          everything, everything],
    ['bobby/absent',     '', '',                   '', '',                  everything, everything],
  ])('allows in %s what the mode allows', async (name, ...expected) => {
    const found: string[] = []
    for (const mode of ['none', 'pull', 'push'] as const) {
      for (const principal of [anonymous, bob]) found.push(await rightsOf(open(mode), principal, name))
      expect(await rightsOf(open(mode), root, name)).toBe(everything)
    }
    expect(found).toEqual(expected)
  })

  test.each(['none', 'pull'] as const)(
    'under %s refuses forbidden and absent repositories alike',
    async (mode) => {
      const policy = open(mode)
      const ask = async (principal: Principal, name: string) => {
        const decision = await policy.decide(principal, 'push', parseRepositoryName(name))
        return JSON.stringify(decision).replaceAll(name, '<name>')
      }
      const tokens = ['', 'repository:acme/private:pull repository:acme/absent:pull'].flatMap((scopes) => [
        withScopes(bob, scopes),
        withScopes(anonymous, scopes),
      ])
      for (const principal of [anonymous, bob, ...tokens]) {
        expect(await ask(principal, 'acme/private')).toBe(await ask(principal, 'acme/absent'))
      }
    },
  )

  test('names who can help, and how', async () => {
    const name = parseRepositoryName('acme/private')
    const refusal = async (principal: Principal): Promise<Decision> =>
      open('pull').decide(principal, 'push', name)
    expect(await refusal(anonymous)).toEqual({
      allowed: false,
      refusal: 'credentials',
      reason: 'anonymous clients may not push to acme/private: log in',
    })
    expect(await refusal(bob)).toEqual({
      allowed: false,
      refusal: 'rights',
      reason:
        'user bob may not push to acme/private: push below your own name, bob/, or ask acme or an administrator',
    })
    expect(await refusal(withScopes(bob, ''))).toEqual({
      allowed: false,
      refusal: 'scope',
      reason:
        'the token cannot be used to push to acme/private: get one with the scope repository:acme/private:pull,push',
    })
  })

  test.each([
    // The token names another repository: a token for this one may help.
    [
      bob,
      'repository:bob/app:pull',
      'push',
      'acme/private',
      'the token cannot be used to push to acme/private: get one with the scope repository:acme/private:pull,push',
    ],
    // The token names this repository, and its owner would have been granted everything requested.
    [
      bob,
      'repository:bob/app:pull',
      'push',
      'bob/app',
      'the token cannot be used to push to bob/app: get one with the scope repository:bob/app:pull,push',
    ],
    // The token names this repository, but fewer actions were requested: only the scope is missing.
    [
      bob,
      'repository:acme/public:pull',
      'push',
      'acme/public',
      'the token cannot be used to push to acme/public: get one with the scope repository:acme/public:pull,push',
    ],
    [
      bob,
      'repository:acme/absent:',
      'pull',
      'acme/absent',
      'user bob may not pull from acme/absent with this token: ask acme or an administrator',
    ],
    [
      anonymous,
      'repository:acme/public:pull',
      'push',
      'acme/public',
      'a token issued without a login cannot be used to push to acme/public: log in',
    ],
  ] as const)(
    'explains for a token of %o for %j that may not %s in %s: %5$s',
    async (principal, scopes, action, name, reason) => {
      const holder = withScopes(principal, scopes)
      expect(await open('pull').decide(holder, action, parseRepositoryName(name))).toEqual({
        allowed: false,
        refusal: 'scope',
        reason,
      })
    },
  )

  test('names who can help when a token was refused its scopes', async () => {
    const repository = 'acme/public'
    const scopes = [{ type: 'repository', name: repository, actions: ['pull'], refused: ['push'] }] as const
    const decide = (action: Action) =>
      open('pull').decide({ ...bob, scopes }, action, parseRepositoryName(repository))
    expect(await decide('push')).toMatchObject({
      refusal: 'scope',
      reason:
        'user bob may not push to acme/public with this token: push below your own name, bob/, or ask acme or an administrator',
    })
    expect(await decide('delete')).toMatchObject({
      reason:
        'the token cannot be used to delete from acme/public: get one with the scope repository:acme/public:delete',
    })
  })

  test('names what an access token lacks, by itself and behind a bearer token', async () => {
    const limits = { tokenId: 1, permissions: new Set(['pull'] as const), patterns: undefined }
    const reason =
      'the access token of user bob allows only pull and cannot be used to push to bob/app: use one with the action push'
    const name = parseRepositoryName('bob/app')
    expect(await open('pull').decide({ ...bob, limits }, 'push', name)).toEqual({
      allowed: false,
      refusal: 'rights',
      reason,
    })
    const scopes = [{ type: 'repository', name, actions: ['pull'], refused: ['push'] }] as const
    expect(await open('pull').decide({ ...bob, limits, scopes }, 'push', name)).toEqual({
      allowed: false,
      refusal: 'scope',
      reason,
    })
    expect(await open('pull').decideOwner({ ...bob, limits }, 'administer', 'bob')).toMatchObject({
      reason:
        'the access token of user bob allows only pull and cannot be used to change who may do what in all of bob: use one with the action administer',
    })
    const elsewhere = { ...limits, permissions: undefined, patterns: [parseRepositoryPattern('bob/web')] }
    for (const held of [undefined, scopes]) {
      expect(
        await open('pull').decide({ ...bob, limits: elsewhere, scopes: held }, 'push', name),
      ).toMatchObject({
        reason:
          'the access token of user bob is limited to repositories other than bob/app: use one that includes it',
      })
    }
  })

  test('does not reveal the rights behind a token: an administrator gets the answer that a user gets', async () => {
    const ask = async (isAdmin: boolean) =>
      open('pull').decide(
        withScopes({ ...bob, isAdmin }, 'repository:acme/private:pull'),
        'push',
        parseRepositoryName('acme/private'),
      )
    expect(await ask(true)).toEqual(await ask(false))
  })

  test.each([
    ['repository:bob/app:pull', 'pull'],
    ['repository:bob/app:pull,push', 'pull push'],
    ['repository:bob/app:delete', 'delete'],
    ['repository:bob/ap:pull', ''],
    ['repository:bob/app/more:pull', ''],
    ['registry:catalog:*', ''],
    ['', ''],
  ])('C5: limits a token for %j to that, for its owner and for administrators', async (text, expected) => {
    for (const principal of [bob, root]) {
      expect(await rightsOf(open('push'), withScopes(principal, text), 'bob/app')).toBe(expected)
    }
  })

  test('a token does not outlive the rights of its account', async () => {
    const holder = withScopes(bob, 'repository:acme/private:pull,push')
    expect(await open('pull').decide(holder, 'push', parseRepositoryName('acme/private'))).toMatchObject({
      refusal: 'rights',
    })
  })

  test('asks for another token when an anonymous token lacks the right', async () => {
    const holder = withScopes(anonymous, 'repository:acme/public:pull')
    const decide = (action: Action) => open('pull').decide(holder, action, parseRepositoryName('acme/public'))
    expect(await decide('pull')).toEqual({ allowed: true })
    expect(await decide('push')).toMatchObject({ refusal: 'scope' })
  })
})

describe('granted scopes', () => {
  const grant = async (mode: AnonymousMode, principal: Principal, text: string): Promise<string> =>
    (await open(mode).grant(principal, parseScopes(text))).map(formatScope).join(' ')

  test.each([
    ['pull', bob, 'repository:bob/app:pull,push', 'repository:bob/app:pull,push'],
    ['pull', bob, 'repository:bob/app:*', 'repository:bob/app:delete,pull,push'],
    ['pull', bob, 'repository:bob/app:admin,pull', 'repository:bob/app:pull'],
    ['pull', bob, 'repository:acme/public:pull,push', 'repository:acme/public:pull'],
    ['pull', bob, 'repository:acme/private:pull', 'repository:acme/private:'],
    ['pull', bob, 'repository:acme/absent:pull', 'repository:acme/absent:'],
    ['pull', bob, 'repository:hello:pull', 'repository:hello:'],
    ['pull', bob, 'repository:Bob/App:pull', 'repository:Bob/App:'],
    ['pull', bob, 'registry:catalog:*', 'registry:catalog:*'],
    ['pull', bob, 'registry:users:*', 'registry:users:'],
    ['pull', root, 'repository:acme/private:pull,push,delete', 'repository:acme/private:delete,pull,push'],
    ['pull', anonymous, 'repository:acme/public:pull,push', 'repository:acme/public:pull'],
    ['pull', anonymous, 'registry:catalog:*', 'registry:catalog:*'],
    [
      'none',
      anonymous,
      'repository:acme/public:pull registry:catalog:*',
      'repository:acme/public: registry:catalog:',
    ],
    ['push', anonymous, 'repository:new/app:pull,push', 'repository:new/app:pull,push'],
    ['push', anonymous, 'repository:acme/private:pull', 'repository:acme/private:'],
  ] as const)('under %s, %o asks %j and gets %j', async (mode, principal, asked, expected) => {
    expect(await grant(mode, principal, asked)).toBe(expected)
  })

  test('a token cannot get a wider token', async () => {
    const holder = withScopes(root, 'repository:acme/private:pull')
    expect(await grant('pull', holder, 'repository:acme/private:pull,push')).toBe(
      'repository:acme/private:pull',
    )
  })
})

describe('the policy on other accounts', () => {
  test('tells who may enter', () => {
    const token = withScopes(anonymous, '')
    expect([anonymous, token, bob].map((principal) => open('pull').mayEnter(principal))).toEqual([
      false,
      true,
      true,
    ])
    expect([anonymous, token, bob].map((principal) => open('none').mayEnter(principal))).toEqual([
      false,
      false,
      true,
    ])
    expect(open('push').mayEnter(anonymous)).toBe(true)
  })

  test('tells which repositories a principal sees', () => {
    const ofBob = { all: false, public: true, internal: true, owner: 'bob' }
    expect(open('none').visibleTo(anonymous)).toMatchObject({ all: false, public: false, owner: undefined })
    expect(open('pull').visibleTo(anonymous)).toMatchObject({ all: false, public: true, owner: undefined })
    expect(open('none').visibleTo(bob)).toEqual(ofBob)
    expect(open('pull').visibleTo(root)).toEqual({ all: true })
  })

  test('tells the visibility of new repositories', () => {
    const policy = open('push')
    expect(policy.newRepositoryVisibility(anonymous)).toBe('public')
    expect(policy.newRepositoryVisibility(bob)).toBe('private')
    expect(policy.newRepositoryVisibility(bob, parseRepositoryName('bob/app'))).toBe('private')
    expect(policy.newRepositoryVisibility(bob, parseRepositoryName('acme/app'))).toBe('public')
    expect(policy.newRepositoryVisibility(root, parseRepositoryName('acme/app'))).toBe('private')
  })
})

describe('a grant of many scopes', () => {
  test('ends when no request waits for it', async () => {
    let found = 0
    const policy = createPolicy({
      anonymous: 'pull',
      newRepositoryVisibility: 'public',
      findAccess: () => {
        found += 1
        return undefined
      },
      findOwner: () => undefined,
      grantsOf: () => noGrants,
    })
    const asker = new AbortController()
    const many = Array.from({ length: 200_000 }, (_, index) => ({
      type: 'repository' as const,
      name: `acme/web${index}`,
      actions: ['pull'],
    }))
    const granting = policy.grant(anonymous, many, { party: 'a', signal: asker.signal })
    asker.abort(new Error('it left'))
    await expect(granting).rejects.toThrow('it left')
    expect(found).toBeLessThan(many.length)
  })
})
