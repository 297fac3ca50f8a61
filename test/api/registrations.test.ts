import { expect, test } from 'vitest'
import { askApi } from '../support/http/api-client.ts'
import { passwordOf } from '../support/parts/identity-server.ts'
import { startInProcess } from '../support/parts/in-process.ts'
import { tester } from '../support/parts/tester.ts'

const json = { name: 'eve', password: passwordOf('eve') }

test('registration is refused unless it is configured', async () => {
  await using registry = await startInProcess({ auth: { anonymous: 'pull' } })
  const { status, value } = await askApi(registry.url, '/registrations', { json })
  expect([status, value['code']]).toEqual([403, 'UNSUPPORTED'])
})

test('no account gets the name that explanations use for anonymous clients', async () => {
  await using registry = await startInProcess({ auth: { anonymous: 'pull', selfRegistration: true } })
  const { accounts } = registry.app.auth
  await accounts.add({ name: 'root', password: passwordOf('root'), isAdmin: true }, tester)
  await accounts.add({ name: 'eve', password: passwordOf('eve'), isAdmin: false }, tester)
  const account = { name: 'anonymous', password: passwordOf('anonymous') }
  const answers = [
    await askApi(registry.url, '/registrations', { json: account }),
    await askApi(registry.url, '/users', { as: 'root', json: account }),
    await askApi(registry.url, '/users/eve/rename', { as: 'root', json: { name: 'anonymous' } }),
  ]
  for (const { status, value } of answers) {
    expect([status, value['code'], value['detail']]).toEqual([
      400,
      'NAME_INVALID',
      expect.stringContaining('it is reserved for clients without a login'),
    ])
  }
  expect(await accounts.find('eve')).toBeDefined()
})

test('registration makes users without further rights', async () => {
  await using registry = await startInProcess({ auth: { anonymous: 'pull', selfRegistration: true } })
  const wide = await askApi(registry.url, '/registrations', { json: { ...json, isAdmin: true } })
  expect(wide.status).toBe(400)
  expect((await askApi(registry.url, '/registrations', { json })).status).toBe(201)
  expect((await askApi(registry.url, '/me', { as: 'eve' })).value).toMatchObject({
    name: 'eve',
    isAdmin: false,
  })
  expect((await askApi(registry.url, '/registrations', { json })).status).toBe(409)
  await registry.app.auth.accounts.add({ name: 'root', password: passwordOf('root'), isAdmin: true }, tester)
  const old = { name: 'old-name', visibility: 'private' }
  await askApi(registry.url, '/owners', { as: 'root', json: old })
  await askApi(registry.url, '/owners/old-name/rename', { as: 'root', json: { name: 'hidden' } })
  const taken = await askApi(registry.url, '/registrations', { json: { ...json, name: 'old-name' } })
  expect(taken.status).toBe(409)
  expect(JSON.stringify(taken.value)).not.toContain('hidden')
  const foreign = { origin: 'https://evil.example' }
  expect((await askApi(registry.url, '/registrations', { json, headers: foreign })).status).toBe(403)
})
