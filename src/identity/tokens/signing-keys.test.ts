/** Tests the keys that sign bearer tokens, with several processes that share a database. */
import { decodeProtectedHeader } from 'jose'
import { describe, expect, test } from 'vitest'
import { openAuth, origin, type OpenAuth } from '../../../test/support/parts/open-auth.ts'
import { tester } from '../../../test/support/parts/tester.ts'
import { findActiveKey } from '../../metadata/identity/signing-keys.ts'
import { kyselyOf } from '../../metadata/sql/database.ts'
import { anonymous, type Principal } from '../principal.ts'
import { parseScopes } from '../../access/scope.ts'

const refused = expect.objectContaining({ code: 'UNAUTHORIZED', error: 'invalid_token' })

async function authenticate({ auth }: Pick<OpenAuth, 'auth'>, token: string): Promise<Principal> {
  return auth.authenticator.authenticate(`Bearer ${token}`, origin)
}

async function issue({ auth }: Pick<OpenAuth, 'auth'>): Promise<string> {
  const scopes = parseScopes('registry:catalog:*')
  return (await auth.tokens.issue({ principal: anonymous, scopes, offline: false, clientId: undefined }))
    .token
}

describe('signing keys', () => {
  test('are made once by processes that start together', async () => {
    await using open = await openAuth()
    const processes = [open.auth, await open.openSecond(), await open.openSecond()]
    const tokens = await Promise.all(processes.map((auth) => issue({ auth })))
    expect(new Set(tokens.map((token) => decodeProtectedHeader(token).kid)).size).toBe(1)
    expect(await open.auth.keys.list()).toHaveLength(1)
  })

  test('rotate with an overlap: old tokens stay valid until their expiry, new ones are valid at once everywhere', async () => {
    await using open = await openAuth()
    const second = { auth: await open.openSecond() }
    const old = await issue(second)
    const kid = await open.auth.keys.rotate({ overlapMs: 15 * 60_000 }, tester)
    const fresh = [await issue(open), await issue(second)]
    for (const token of fresh) {
      expect(decodeProtectedHeader(token).kid).toBe(kid)
      for (const process of [open, second]) {
        expect(await authenticate(process, token)).toMatchObject({ kind: 'anonymous' })
        expect(await authenticate(process, old)).toMatchObject({ kind: 'anonymous' })
      }
    }
    expect((await open.auth.keys.list()).map((key) => key.state)).toEqual(['active', 'retired'])
    open.clock.advance(15 * 60_000)
    await expect(authenticate(second, old)).rejects.toEqual(refused)
    expect((await open.auth.keys.list()).map((key) => key.kid)).toEqual([kid])
  })

  test('leave no private part behind when they retire', async () => {
    await using open = await openAuth()
    await issue(open)
    const first = await findActiveKey(open.metadata.reader)
    await open.auth.keys.rotate({ overlapMs: 15 * 60_000 }, tester)
    const rows = await kyselyOf(open.metadata.reader).selectFrom('signing_key').selectAll().execute()
    expect(rows.map(({ state }) => state).toSorted()).toEqual(['active', 'retired'])
    expect(JSON.stringify(rows)).not.toContain((JSON.parse(first!.privateKey) as { d: string }).d)
  })

  test('are listed without their private parts', async () => {
    await using open = await openAuth()
    await issue(open)
    const { kid, privateKey } = (await findActiveKey(open.metadata.reader))!
    const listed = await open.auth.keys.list()
    expect(listed).toMatchObject([{ kid, state: 'active' }])
    expect(JSON.stringify(listed)).not.toContain((JSON.parse(privateKey) as { d: string }).d)
  })
})
