/** Changes whose body arrives long after their head: the rights at the arrival of the body decide. */
import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { beforeAll, expect, test } from 'vitest'
import { basic, passwordOf } from '../support/parts/identity-server.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { tester } from '../support/parts/tester.ts'

const registry = shareRegistry({ auth: { anonymous: 'pull' } })
const newPassword = 'the next password'

beforeAll(async () => {
  const { accounts, grants } = registry.app.auth
  for (const name of ['alice', 'bob', 'carol']) {
    await accounts.add({ name, password: passwordOf(name), isAdmin: false }, tester)
  }
  await grants.add({ owner: 'alice', repositories: '**', role: 'owner', to: 'carol' }, tester)
})

/** Sends the body after `meanwhile`, which runs once the head was accepted. Returns the status. */
async function post(
  path: string,
  as: string,
  { json, meanwhile }: { json: object; meanwhile: () => Promise<unknown> },
) {
  const body = JSON.stringify(json)
  const sent = request(`${registry.url}/api/v1${path}`, {
    method: 'POST',
    headers: {
      authorization: basic(as),
      'content-type': 'application/json',
      'content-length': body.length,
      // The server asks for the body after it has checked the head.
      expect: '100-continue',
    },
  })
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>
  sent.flushHeaders()
  await once(sent, 'continue')
  await meanwhile()
  sent.end(body)
  const [answer] = await answered
  answer.resume()
  return answer.statusCode
}

test('a token is not made if the password has changed in the meantime', async () => {
  const { accounts, accessTokens } = registry.app.auth
  const change = () => accounts.setPassword('bob', newPassword, tester)
  expect(await post('/me/tokens', 'bob', { json: { name: 'late' }, meanwhile: change })).toBe(401)
  const bob = await accounts.find('bob')
  expect(await accessTokens.list({ accountId: bob?.id ?? 0, limit: 9 })).toEqual([])
})

test('a grant is not made if the right to give it was removed in the meantime', async () => {
  const { grants } = registry.app.auth
  const json = { repositories: '**', role: 'owner', to: 'carol' }
  const [held] = await grants.list({ owner: 'alice', limit: 9 })
  const remove = () => grants.remove(held?.id ?? 0, tester)
  expect(await post('/owners/alice/grants', 'carol', { json, meanwhile: remove })).toBe(403)
})

test('a change is made if nothing has changed in the meantime', async () => {
  const nothing = () => Promise.resolve()
  expect(await post('/me/tokens', 'alice', { json: { name: 'late' }, meanwhile: nothing })).toBe(201)
})
