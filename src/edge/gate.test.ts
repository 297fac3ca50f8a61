import { describe, expect, test } from 'vitest'
import { openAuthenticator, openPolicy } from '../../test/support/parts/open-identity.ts'
import type { Decision, Policy } from '../access/policy.ts'
import { CredentialsError, invalidToken } from '../identity/errors.ts'
import type { Principal } from '../identity/principal.ts'
import { parseRepositoryName } from '../oci/repository-name.ts'
import type { AdmissionRequest } from './admission-request.ts'
import { createGate } from './gate.ts'
import type { Admitted, GateDeps, Refused } from './gate.ts'
import type { Need } from './need.ts'

const repository = parseRepositoryName('acme/web')
const bob: Principal = { kind: 'user', accountId: 2, name: 'bob', isAdmin: false, scopes: undefined }
const denied: Decision = { allowed: false, refusal: 'rights', reason: 'no' }
const byCredentials: Decision = { allowed: false, refusal: 'credentials', reason: 'log in' }

const asBob = { ...openAuthenticator, authenticate: () => bob }

function gateWith(deps: Partial<GateDeps> = {}) {
  return createGate({
    authenticator: openAuthenticator,
    policy: openPolicy,
    formerNames: { resolve: () => undefined },
    sessions: { find: () => Promise.resolve(undefined) },
    owners: { find: () => Promise.resolve(undefined) },
    ...deps,
  })
}

function deciding(decide: Policy['decide']): Pick<GateDeps, 'policy'> {
  return { policy: { ...openPolicy, decide } }
}

const request: AdmissionRequest = {
  surface: 'registry',
  method: 'PUT',
  headers: {},
  origin: { address: '192.0.2.1', client: undefined, registryUrl: 'https://registry.test' },
  crossOrigin: 'never',
}

const asked = (need: Need) => ({ need, target: { repository } })

function requireAdmitted(admission: Admitted | Refused): Admitted {
  if (!admission.isAdmitted) throw new Error('not admitted', { cause: admission.refusal })
  return admission
}

describe('the gate', () => {
  test('names the caller of a refused request', async () => {
    const gate = gateWith({ authenticator: asBob, ...deciding(() => denied) })
    expect(await gate.admit(request, asked('push'))).toMatchObject({
      isAdmitted: false,
      principal: bob,
      refusal: { code: 'DENIED', message: 'no' },
    })
  })

  test('throws what authentication fails with, before anything is decided', async () => {
    const decided: string[] = []
    const gate = gateWith({
      authenticator: {
        ...openAuthenticator,
        authenticate() {
          throw new CredentialsError('wrong')
        },
      },
      ...deciding((_who, action) => {
        decided.push(action)
        return { allowed: true }
      }),
    })
    await expect(gate.admit(request, asked('pull'))).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    expect(decided).toEqual([])
  })

  test.each(['none', 'public'] as const)('looks at no credentials for %s', async (need) => {
    const gate = gateWith({ authenticator: asBob })
    const admission = await gate.admit(request, { need, target: {} })
    expect(admission).toMatchObject({ isAdmitted: true, principal: { kind: 'anonymous' } })
  })

  test.each(['pull', 'push', 'delete', 'repository:pull', 'repository:delete', 'owner:administer'] as const)(
    'refuses a row for %s that names no target, whatever the policy says',
    async (need) => {
      const gate = gateWith({ authenticator: asBob })
      expect(await gate.admit(request, { need, target: {} })).toMatchObject({ isAdmitted: false })
    },
  )

  test('serves a read with a foreign token, and names the token where that is refused', async () => {
    const authenticator = {
      ...openAuthenticator,
      authenticate() {
        throw invalidToken({ isForeign: true })
      },
    }
    expect(await gateWith({ authenticator }).admit(request, asked('pull'))).toMatchObject({
      isAdmitted: true,
      principal: { kind: 'anonymous' },
    })
    const refusing = gateWith({ authenticator, ...deciding(() => byCredentials) })
    expect(await refusing.admit(request, asked('pull'))).toMatchObject({
      refusal: { name: 'CredentialsError', error: 'invalid_token' },
    })
    await expect(gateWith({ authenticator }).admit(request, asked('push'))).rejects.toThrow('the token')
  })

  test('refuses a token of the token endpoint on the management API', async () => {
    const gate = gateWith({
      authenticator: { ...openAuthenticator, authenticate: () => ({ ...bob, scopes: [] }) },
    })
    const managed = { ...request, surface: 'management', headers: { authorization: 'Bearer x' } } as const
    await expect(gate.admit(managed, { need: 'user', target: {} })).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      error: 'insufficient_scope',
    })
  })

  test('admits a page of any origin only with an account', async () => {
    const page = {
      ...request,
      crossOrigin: 'with-account',
      headers: { origin: 'https://other.test' },
    } as const
    expect(await gateWith({ authenticator: asBob }).admit(page, asked('push'))).toMatchObject({
      isAdmitted: true,
    })
    expect(await gateWith().admit(page, asked('push'))).toMatchObject({
      isAdmitted: false,
      refusal: { name: 'CsrfError' },
    })
  })

  test('reads the path of a management row only after the caller is checked', async () => {
    const target = () => {
      throw new Error('the path cannot be parsed')
    }
    expect(await gateWith().admit(request, { need: 'user', target })).toMatchObject({
      refusal: { code: 'UNAUTHORIZED' },
    })
  })
})

describe('deciding again', () => {
  test('throws if the right was revoked in the meantime', async () => {
    let decision: Decision = { allowed: true, push: { create: true, update: true } }
    const gate = gateWith({ authenticator: asBob, ...deciding(() => decision) })
    const admission = requireAdmitted(await gate.admit(request, asked('push')))
    await admission.decideAgain()
    decision = { allowed: true, push: { create: true, update: false } }
    await expect(admission.decideAgain()).rejects.toThrow('rights were revoked')
    decision = denied
    await expect(admission.decideAgain()).rejects.toMatchObject({ code: 'DENIED' })
  })

  test('throws if the credential ended in the meantime', async () => {
    let isCurrent = true
    const gate = gateWith({ authenticator: { ...asBob, isCurrent: () => isCurrent } })
    const admission = requireAdmitted(await gate.admit(request, asked('pull')))
    await admission.decideAgain()
    isCurrent = false
    await expect(admission.decideAgain()).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })
})
