/** Access tokens and robots as clients use them: as a password, and through the token endpoint. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseRepositoryPattern } from '../../src/access/patterns/repository-pattern.ts'
import type { AccessTokenRequest } from '../../src/identity/access-tokens/access-tokens.ts'
import { expectError, expectStatus } from '../support/http/answers.ts'
import { ask, type Answer, type Ask } from '../support/http/client.ts'
import { basic, openIdentityServer, type IdentityServer } from '../support/parts/identity-server.ts'
import { pushBlob } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'
import { tester } from '../support/parts/tester.ts'

const blob = aRandomBlob()
const web = `/v2/alice/web/blobs/${blob.digest}`
const api = `/v2/alice/api/blobs/${blob.digest}`
let server: IdentityServer

beforeAll(async () => {
  server = await openIdentityServer()
  await server.addUser('alice')
  await server.addUser('root', { isAdmin: true })
  const headers = { authorization: basic('alice') }
  for (const name of ['web', 'api']) await pushBlob(`${server.url}/v2/alice/${name}`, blob, { headers })
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

async function send(path: string, authorization: string, options: Ask = {}): Promise<Answer> {
  return ask(`${server.url}${path}`, { ...options, headers: { ...options.headers, authorization } })
}

async function makeToken(
  account: string,
  request: Partial<AccessTokenRequest> = {},
): Promise<{ readonly id: number; readonly secret: string }> {
  const { accounts, robots, accessTokens } = server.auth
  const { id } = (await accounts.find(account)) ?? (await robots.find(account))!
  const { token, secret } = await accessTokens.create(id, { name: 'test', ...request }, tester)
  return { id: token.id, secret }
}

async function bearerFor(name: string, secret: string, scopes: readonly string[]): Promise<string> {
  const query = new URLSearchParams(scopes.map((scope) => ['scope', scope]))
  const answer = await send(`/v2/token?${query.toString()}`, basic(name, secret))
  expectStatus(answer, 200)
  return `Bearer ${(answer.json() as { token: string }).token}`
}

const startUpload: Ask = { method: 'POST' }

describe('an access token', () => {
  test('logs in wherever a password does', async () => {
    const { secret } = await makeToken('alice')
    for (const authorization of [basic('alice', secret), `Bearer ${secret}`]) {
      expectStatus(await send('/v2/', authorization), 200)
      expectStatus(await send(web, authorization), 200)
    }
    expectStatus(await send(web, await bearerFor('alice', secret, ['repository:alice/web:pull'])), 200)
  })

  test('C5: limits the rights of its account, by Basic and by a bearer token issued from it', async () => {
    const patterns = [parseRepositoryPattern('alice/web')]
    const { secret } = await makeToken('alice', { actions: ['pull'], patterns })
    const scopes = ['repository:alice/web:pull,push,delete', 'repository:alice/api:pull']
    const bearer = await bearerFor('alice', secret, scopes)
    for (const authorization of [basic('alice', secret), `Bearer ${secret}`, bearer]) {
      expectStatus(await send(web, authorization), 200)
      for (const answer of [
        await send(api, authorization),
        await send(web, authorization, { method: 'DELETE' }),
        await send('/v2/alice/web/blobs/uploads/', authorization, startUpload),
        await send('/v2/alice/new/blobs/uploads/', authorization, startUpload),
      ]) {
        expect([401, 403]).toContain(answer.status)
      }
    }
    expectStatus(await send(web, basic('alice')), 200)
  })

  test('C5: of an administrator is limited, too', async () => {
    const { secret } = await makeToken('root', { actions: ['pull'] })
    const authorization = basic('root', secret)
    expectStatus(await send(web, authorization), 200)
    const answer = await send('/v2/alice/web/blobs/uploads/', authorization, startUpload)
    expect([401, 403]).toContain(answer.status)
  })

  test('that was revoked ends the tokens issued from it, between two requests', async () => {
    const { id, secret } = await makeToken('alice')
    const bearer = await bearerFor('alice', secret, ['repository:alice/web:pull'])
    expectStatus(await send(web, bearer), 200)
    await server.auth.accessTokens.revoke(id, tester)
    for (const authorization of [bearer, basic('alice', secret)]) {
      expectError(await send(web, authorization), { status: 401, code: 'UNAUTHORIZED' })
    }
    const answer = await send('/v2/token', basic('alice', secret))
    expectError(answer, { status: 401, code: 'UNAUTHORIZED' })
    expect(answer.text()).not.toContain(secret)
  })
})

describe('a robot', () => {
  test('B4: has only the rights granted to it', async () => {
    await server.auth.robots.create('alice+ci', tester)
    const { secret } = await makeToken('alice+ci')
    const authorization = basic('alice+ci', secret)
    expectStatus(await send('/v2/', authorization), 200)
    expectError(await send(web, authorization), { status: 403, code: 'DENIED' })
    await server.auth.grants.add(
      { to: 'alice+ci', role: 'reader', owner: 'alice', repositories: 'web' },
      tester,
    )
    expectStatus(await send(web, authorization), 200)
    expectStatus(await send(web, await bearerFor('alice+ci', secret, ['repository:alice/web:pull'])), 200)
    expectError(await send(api, authorization), { status: 403, code: 'DENIED' })
    expectError(await send('/v2/alice/web/blobs/uploads/', authorization, startUpload), {
      status: 403,
      code: 'DENIED',
    })
  })
})
