/** Over HTTP, pushing something new and changing something existing need different rights (CVE-2026-31801). */
import { describe, expect, test } from 'vitest'
import { operator } from '../../src/identity/actor.ts'
import { ask } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { basic, openIdentityServer } from '../support/parts/identity-server.ts'
import { anImageManifest, mediaType, pushBlob, pushImage } from '../support/content/manifests.ts'
import type { TestManifest } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'

const [config, layer] = [aRandomBlob(), aRandomBlob()]
const first = anImageManifest({ config, layers: [layer] })
const second = anImageManifest({ config, layers: [layer], annotations: { build: '2' } })

/** Starts with `alice/web`, where `latest` is the first image; bob has a role with `actions` on everything of alice. */
async function start(actions: readonly string[]) {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await openIdentityServer())
  for (const name of ['alice', 'bob']) await server.addUser(name)
  const url = `${server.url}/v2/alice/web`
  await pushImage(url, first, { reference: 'latest', headers: { authorization: basic('alice') } })
  await server.auth.roles.add({ name: 'some', actions }, operator('test'))
  await server.auth.grants.add(
    { owner: 'alice', repositories: '**', role: 'some', to: 'bob' },
    operator('test'),
  )
  const authorization = basic('bob')
  const put = (manifest: TestManifest, reference: string, base = url): Promise<Answer> =>
    ask(`${base}/manifests/${reference}`, {
      method: 'PUT',
      headers: { authorization, 'content-type': mediaType.ociManifest },
      body: manifest.bytes,
    })
  const digestOf = async (tag: string) =>
    (await ask(`${url}/manifests/${tag}`, { method: 'HEAD', headers: { authorization: basic('alice') } }))
      .headers['docker-content-digest']
  const resources = stack.move()
  return { server, url, put, digestOf, authorization, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

describe('with only push:create', () => {
  test('B4: a new tag is made, and latest cannot be moved', async () => {
    await using given = await start(['pull', 'push:create'])
    const { put, digestOf } = given
    expect((await put(second, 'v2')).status).toBe(201)
    const refused = await put(second, 'latest')
    expect(refused.status).toBe(403)
    expect(refused.json()).toMatchObject({
      errors: [
        {
          code: 'DENIED',
          message: expect.stringMatching(
            /tag latest of alice\/web points at another manifest.* push:update.*push another tag, or ask alice/,
          ),
          detail: { repository: 'alice/web', tag: 'latest', right: 'push:update' },
        },
      ],
    })
    expect(await digestOf('latest')).toBe(first.digest)
  })

  test('the error names the limits of an access token, not a missing role', async () => {
    await using given = await start(['pull', 'push'])
    const { server, url } = given
    const bob = await server.auth.accounts.find('bob')
    const request = { name: 'publish', actions: ['pull', 'push:create'] as const }
    const { secret } = await server.auth.accessTokens.create(bob?.id ?? 0, request, operator('test'))
    const refused = await ask(`${url}/manifests/latest`, {
      method: 'PUT',
      headers: { authorization: basic('bob', secret), 'content-type': mediaType.ociManifest },
      body: second.bytes,
    })
    expect([refused.status, refused.text()]).toEqual([
      403,
      expect.stringContaining('or use an access token that was created with the action push:update'),
    ])
    expect(refused.text()).not.toContain('administrator')
  })

  test('B4: latest cannot be moved by ?tag=, either, and nothing of such a push is stored', async () => {
    await using given = await start(['pull', 'push:create'])
    const { put, digestOf } = given
    const refused = await put(second, `${second.digest}?tag=new&tag=latest`)
    expect(refused.status).toBe(403)
    expect([await digestOf('latest'), await digestOf('new'), await digestOf(second.digest)]).toEqual([
      first.digest,
      undefined,
      undefined,
    ])
    expect((await put(second, `${second.digest}?tag=new`)).status).toBe(201)
  })

  test('a push of the manifest that the tag already points at changes nothing and is not a move', async () => {
    await using given = await start(['push:create'])
    expect((await given.put(first, 'latest')).status).toBe(201)
  })

  test('B4: a bearer token has no more rights than its user', async () => {
    await using given = await start(['pull', 'push:create'])
    const { server, url } = given
    const authorization = await server.bearer(['repository:alice/web:pull,push,delete'], 'bob')
    const put = (tag: string) =>
      ask(`${url}/manifests/${tag}`, {
        method: 'PUT',
        headers: { authorization, 'content-type': mediaType.ociManifest },
        body: second.bytes,
      })
    expect([(await put('latest')).status, (await put('v2')).status]).toEqual([403, 201])
    const deleted = await ask(`${url}/manifests/v2`, { method: 'DELETE', headers: { authorization } })
    expect(deleted.status).toBe(401)
  })

  test.each(['latest', first.digest])('B4: %s cannot be deleted', async (reference) => {
    await using given = await start(['pull', 'push'])
    const { url, authorization, digestOf } = given
    const answer = await ask(`${url}/manifests/${reference}`, {
      method: 'DELETE',
      headers: { authorization },
    })
    expect(answer.status).toBe(403)
    expect(await digestOf('latest')).toBe(first.digest)
  })
})

describe('with only push:update', () => {
  test('a tag can be moved, but not created', async () => {
    await using given = await start(['push:update'])
    const { put, digestOf } = given
    expect((await put(second, 'latest')).status).toBe(201)
    expect(await digestOf('latest')).toBe(second.digest)
    const refused = await put(second, 'v2')
    expect(refused.json()).toMatchObject({
      errors: [{ code: 'DENIED', detail: { tag: 'v2', right: 'push:create' } }],
    })
    expect(await digestOf('v2')).toBeUndefined()
  })

  test('no repository is created, neither by a blob nor by a mount', async () => {
    await using given = await start(['pull', 'push:update'])
    const { server, authorization } = given
    const url = `${server.url}/v2/alice/new`
    const headers = { authorization }
    const mount = `${url}/blobs/uploads/?mount=${layer.digest}&from=alice/web`
    const answers = [
      await ask(mount, { method: 'POST', headers }),
      await ask(`${url}/blobs/uploads/?digest=${layer.digest}`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/octet-stream' },
        body: layer.bytes,
      }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([403, 403])
    const seen = await ask(`${url}/tags/list`, { headers: { authorization: basic('alice') } })
    expect(seen.status).toBe(404)
    await pushBlob(`${server.url}/v2/alice/web`, aRandomBlob(), { headers })
  })
})

describe('a grant', () => {
  test('C2: takes effect with the next request when it is added or removed, for bearer tokens too', async () => {
    await using given = await start(['pull'])
    const { server, url } = given
    const { grants } = server.auth
    const authorization = await server.bearer(['repository:alice/web:pull'], 'bob')
    const pull = async () => (await ask(`${url}/tags/list`, { headers: { authorization } })).status
    const catalog = async () =>
      (await ask(`${server.url}/v2/_catalog`, { headers: { authorization: basic('bob') } })).json()
    expect(await pull()).toBe(200)
    expect(await catalog()).toEqual({ repositories: ['alice/web'] })
    const [grant] = await grants.list({ to: 'bob', limit: 1 })
    await grants.remove(grant?.id ?? 0, operator('test'))
    expect(await pull()).toBe(403)
    expect(await catalog()).toEqual({ repositories: [] })
  })

  test('covers the repositories of its pattern, and hides the rest', async () => {
    await using given = await start(['delete'])
    const { server } = given
    await server.auth.grants.add(
      { owner: 'alice', repositories: 'w*', role: 'reader', to: 'bob' },
      operator('test'),
    )
    await server.addRepository('alice/api', 'private')
    const status = async (name: string) =>
      (await ask(`${server.url}/v2/${name}/tags/list`, { headers: { authorization: basic('bob') } })).status
    expect([await status('alice/web'), await status('alice/api'), await status('alice/none')]).toEqual([
      200, 403, 403,
    ])
  })
})
