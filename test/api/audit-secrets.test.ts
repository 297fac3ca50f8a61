/** Sends secrets to the registry in every possible way, then checks every column of every row of the audit. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { SQLOutputValue } from 'node:sqlite'
import { expect, test } from 'vitest'
import { createPasswordHasher } from '../../src/identity/passwords/password-hash.ts'
import { askApi } from '../support/http/api-client.ts'
import type { ApiAsk } from '../support/http/api-client.ts'
import { ask } from '../support/http/client.ts'
import { basic, passwordOf } from '../support/parts/identity-server.ts'
import { startInProcess } from '../support/parts/in-process.ts'
import type { InProcessRegistry } from '../support/parts/in-process.ts'
import { runLading } from '../support/processes/run-lading.ts'
import { tester } from '../support/parts/tester.ts'

/** Many guesses in a row, without delays. */
const throttle = { sleep: () => Promise.resolve() }

const typed = 'typed-by-mistake-1234'

/** Closes the registry, so that its buffer is written, then reads the rows from the file. */
async function readRows({ app, dataDir }: InProcessRegistry): Promise<Record<string, SQLOutputValue>[]> {
  // Logins and refusals are written within a second; stopping writes them at once.
  await app[Symbol.asyncDispose]()
  using database = new DatabaseSync(join(dataDir, 'lading.db'), { readOnly: true })
  return database.prepare('select * from audit_event').all()
}

async function send(url: string, path: string, options: ApiAsk, status = 201) {
  const answer = await askApi(url, path, options)
  expect([path, answer.status]).toEqual([path, status])
  return answer
}

/** Creates, changes and revokes credentials, and returns their secrets. */
async function useTokens(url: string): Promise<string[]> {
  const made = await send(url, '/me/tokens', { as: 'bob', json: { name: 'laptop' } })
  const { id } = made.value['token'] as { id: number }
  const rotated = await send(url, `/me/tokens/${id}/rotate`, { as: 'bob', json: { overlapSeconds: 60 } })
  await send(url, '/owners/bob/robots', { as: 'root', json: { name: 'ci' } })
  const robot = await send(url, '/owners/bob/robots/ci/tokens', { as: 'root', json: { name: 'pipeline' } })
  return [made, rotated, robot].map(({ value }) => value['secret'] as string)
}

async function useSession(url: string): Promise<string[]> {
  const json = { name: 'bob', password: passwordOf('bob') }
  const { value, headers } = await send(url, '/session', { json })
  const cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  const csrf = value['csrfToken'] as string
  await send(
    url,
    '/session',
    { method: 'DELETE', headers: { cookie, 'x-csrf-token': csrf, origin: url } },
    204,
  )
  await send(url, '/session', { json: { name: typed, password: typed } }, 401)
  return [cookie.slice(cookie.indexOf('=') + 1), csrf]
}

/** Logs in with each secret as the name, as the password and as the bearer token, right and wrong. */
async function tryOut(url: string, secrets: readonly string[]): Promise<void> {
  for (const secret of secrets) {
    const headers = [basic('bob', secret), basic('bob+ci', secret), basic(secret, 'x'), `Bearer ${secret}`]
    for (const authorization of [...headers, ...headers.map((header) => `${header}x`)]) {
      for (const path of ['/v2/', '/v2/token?scope=repository:bob/web:push', '/api/v1/me']) {
        await ask(`${url}${path}`, { headers: { authorization, cookie: `lading_session=${secret}` } })
      }
      await ask(`${url}/v2/root/web/blobs/uploads/`, { method: 'POST', headers: { authorization } })
    }
  }
}

test('G1: no row of the audit has a secret, however it arrived', async () => {
  await using registry = await startInProcess({
    auth: { anonymous: 'pull', refreshTokens: true },
    deps: { auth: { passwords: createPasswordHasher({ cost: { memoryKib: 64, passes: 1 } }), throttle } },
  })
  const { url, app } = registry
  await app.auth.accounts.add({ name: 'root', password: passwordOf('root'), isAdmin: true }, tester)
  await app.auth.accounts.add({ name: 'bob', password: passwordOf('bob'), isAdmin: false }, tester)

  const issued = [...(await useTokens(url)), ...(await useSession(url))]
  const tokens = await ask(`${url}/v2/token?offline_token=true&scope=repository:bob/web:push`, {
    headers: { authorization: basic('bob') },
  })
  const { token, refresh_token: refresh } = tokens.json() as { token: string; refresh_token: string }
  issued.push(token, refresh)
  await ask(`${url}/v2/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `grant_type=refresh_token&service=x&client_id=x&refresh_token=${refresh}`,
  })
  await tryOut(url, [...issued, typed])
  const changed = 'a changed password of bob'
  await send(url, '/users/bob', { method: 'PATCH', as: 'root', json: { password: changed } }, 200)
  await send(url, '/users/bob', { method: 'PATCH', as: 'bob', json: { password: typed } }, 401)
  await runLading('user password bob --password-stdin', {
    env: { LADING_DATA: registry.dataDir },
    stdin: `${changed} again`,
  })

  const rows = await readRows(registry)
  const actions = new Set(rows.map((row) => row['action']))
  for (const action of ['login', 'push', 'access-token.create', 'access-token.rotate', 'user.password'])
    expect(actions).toContain(action)
  const text = JSON.stringify(rows)
  expect(issued.filter((secret) => secret.length < 20)).toEqual([])
  for (const secret of [...issued, typed, changed, passwordOf('bob'), passwordOf('root')]) {
    for (const form of [secret, btoa(secret), createHash('sha256').update(secret).digest('hex')])
      expect(text).not.toContain(form)
  }
})
