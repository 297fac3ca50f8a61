/** Repositories over HTTP: their visibility to users, and their settings. */
import { beforeAll, expect, test } from 'vitest'
import { expectError } from '../support/http/answers.ts'
import { askApi } from '../support/http/api-client.ts'
import type { ApiAsk } from '../support/http/api-client.ts'
import { ask } from '../support/http/client.ts'
import { basic, passwordOf } from '../support/parts/identity-server.ts'
import { shareRegistry, startInProcess } from '../support/parts/in-process.ts'
import type { InProcessRegistry } from '../support/parts/in-process.ts'
import { anImageManifest, pushImage } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'
import { tester } from '../support/parts/tester.ts'

const registry = shareRegistry({ auth: { anonymous: 'pull' } })
const image = anImageManifest({ layers: [aRandomBlob()] })

async function prepare({ url, app }: Pick<InProcessRegistry, 'url' | 'app'>): Promise<void> {
  const { accounts } = app.auth
  await accounts.add({ name: 'root', password: passwordOf('root'), isAdmin: true }, tester)
  for (const name of ['alice', 'bob']) {
    await accounts.add({ name, password: passwordOf(name), isAdmin: false }, tester)
  }
  for (const name of ['alice/open', 'alice/secret', 'alice-2/open', 'bob/own']) {
    const headers = { authorization: basic('root') }
    await pushImage(`${url}/v2/${name}`, image, { reference: 'v1', headers })
    const visibility = name.endsWith('open') ? 'public' : 'private'
    const path = `/repositories/${encodeURIComponent(name)}`
    await askApi(url, path, { method: 'PATCH', as: 'root', json: { visibility } })
  }
}

beforeAll(() => prepare(registry))

async function listed(query: string, as: string): Promise<string[]> {
  const { value } = await askApi(registry.url, `/repositories?${query}`, { as })
  return (value['items'] as { name: string }[]).map(({ name }) => name)
}

function call(name: string, options: ApiAsk) {
  return askApi(registry.url, `/repositories/${encodeURIComponent(name)}`, options)
}

test('B6: a list has the repositories that its reader may pull', async () => {
  expect(await listed('', 'alice')).toEqual(['alice-2/open', 'alice/open', 'alice/secret'])
  expect(await listed('', 'bob')).toEqual(['alice-2/open', 'alice/open', 'bob/own'])
  expect(await listed('', 'root')).toHaveLength(4)
})

test('B8: an owner whose name is a prefix of another has a separate list', async () => {
  expect(await listed('owner=alice', 'root')).toEqual(['alice/open', 'alice/secret'])
  expect(await listed('owner=alice-2', 'root')).toEqual(['alice-2/open'])
  expect(await listed('owner=alic', 'root')).toEqual([])
})

test('a cursor that the registry did not make is refused, here and in the catalog', async () => {
  const answer = await askApi(registry.url, '/repositories?after=~invented', { as: 'alice' })
  expect(answer.status).toBe(400)
  expect(answer.value['detail']).toContain('is not a cursor of this list: follow the Link header')
  const headers = { authorization: basic('alice') }
  const catalog = await ask(`${registry.url}/v2/_catalog?last=~invented`, { headers })
  expectError(catalog, { status: 400, code: 'PAGINATION_NUMBER_INVALID', naming: ['~invented'] })
})

test('pages have each entry of a list once', async () => {
  const found: string[] = []
  let path: string | undefined = '/repositories?limit=1&owner=alice'
  while (path !== undefined) {
    const { value, headers } = await askApi(registry.url, path, { as: 'root' })
    found.push(...(value['items'] as { name: string }[]).map(({ name }) => name))
    path = /<\/api\/v1([^>]+)>/.exec(headers.link?.toString() ?? '')?.[1]
  }
  expect(found).toEqual(['alice/open', 'alice/secret'])
})

test('B6: forbidden and absent repositories get the same response, for anonymous and for users', async () => {
  for (const as of [undefined, 'bob']) {
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const json = method === 'PATCH' ? { visibility: 'public' } : undefined
      const answers = await Promise.all(
        ['alice/secret', 'alice/absent'].map((name) => call(name, { method, as, json })),
      )
      const [hidden, absent] = answers.map(({ status, value }) => ({
        status,
        detail: String(value['detail']).replaceAll(/alice\/(?:secret|absent)/g, '<name>'),
      }))
      expect(hidden).toEqual(absent)
      expect(hidden?.status).toBe(as === undefined ? 401 : 403)
    }
  }
  expect((await call('alice/open', {})).value).toMatchObject({ owner: 'alice', visibility: 'public' })
  expect((await call('alice/absent', { as: 'alice' })).status).toBe(404)
})

test('settings change only with the current entity tag', async () => {
  const { headers } = await call('alice/secret', { as: 'alice' })
  const change = (etag: string, visibility: string) =>
    call('alice/secret', {
      method: 'PATCH',
      as: 'alice',
      json: { visibility },
      headers: { 'if-match': etag },
    })
  expect((await change('"other"', 'public')).status).toBe(412)
  expect((await change(`W/${headers.etag}`, 'public')).status).toBe(412)
  expect((await change(headers.etag ?? '', 'internal')).value).toMatchObject({ visibility: 'internal' })
  expect((await change('*', 'private')).status).toBe(200)
})

test('a repository is deleted with its content', async () => {
  expect((await call('bob/own', { method: 'DELETE', as: 'bob' })).status).toBe(204)
  expect((await call('bob/own', { as: 'bob' })).status).toBe(404)
})

test('B5: the API deletes nothing when deletion is disabled', async () => {
  await using strict = await startInProcess({ auth: { anonymous: 'pull' }, delete: { enabled: false } })
  await prepare(strict)
  for (const path of ['/repositories/bob%2Fown', '/users/bob?purge=true']) {
    const { status, value } = await askApi(strict.url, path, { method: 'DELETE', as: 'root' })
    expect([status, value['code']]).toEqual([403, 'UNSUPPORTED'])
  }
})
