/** Requests under an owner's former name: pulls still work, other requests get the new name or no information. */
import { describe, expect, test } from 'vitest'
import { parseRepositoryPattern } from '../../src/access/patterns/repository-pattern.ts'
import { renameOwner } from '../../src/metadata/owners/owner-rename.ts'
import { ask } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { basic, openIdentityServer, passwordOf } from '../support/parts/identity-server.ts'
import type { IdentityServer } from '../support/parts/identity-server.ts'
import { anImageManifest, pushImage } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'
import { tester } from '../support/parts/tester.ts'

const blob = aRandomBlob()
const image = anImageManifest({ layers: [blob] })
const uploads = 'blobs/uploads/'
/** The user who was called `acme`. */
const apex = basic('apex', passwordOf('acme'))

interface Given extends AsyncDisposable {
  readonly server: IdentityServer
  send(method: string, path: string, authorization?: string): Promise<Answer>
}

/** Opens a server where the user `acme` was renamed to `apex`. */
async function open(settings: Parameters<typeof openIdentityServer>[0] = {}): Promise<Given> {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await openIdentityServer(settings))
  await server.addUser('acme')
  await server.addUser('bob')
  await server.addUser('root', { isAdmin: true })
  for (const [name, visibility] of [
    ['acme/public', 'public'],
    ['acme/private', 'private'],
  ] as const) {
    await pushImage(`${server.url}/v2/${name}`, image, {
      reference: 'latest',
      headers: { authorization: basic('acme') },
    })
    await server.addRepository(name, visibility)
  }
  await server.registry.metadata.transact((tx) => renameOwner(tx, { name: 'acme', newName: 'apex', now: 1 }))
  const resources = stack.move()
  return {
    server,
    send: (method, path, authorization) =>
      ask(`${server.url}/v2/${path}`, {
        method,
        headers: authorization === undefined ? {} : { authorization },
      }),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

async function getToken(
  { server }: Given,
  scopes: readonly string[],
  authorization: string,
): Promise<string> {
  const query = new URLSearchParams(scopes.map((scope) => ['scope', scope]))
  const answer = await ask(`${server.url}/v2/token?${query.toString()}`, { headers: { authorization } })
  return `Bearer ${(answer.json() as { token: string }).token}`
}

/** Removes the parts that differ in every response. */
function comparable({ status, headers, body }: Answer, names: readonly string[]): unknown {
  const text = names.reduce((whole, name) => whole.replaceAll(name, '<name>'), body.toString())
  const challenge = String(headers['www-authenticate'])
  return {
    status,
    text,
    challenge: names.reduce((whole, name) => whole.replaceAll(name, '<name>'), challenge),
  }
}

describe('a former name', () => {
  test('answers pulls like the new name', async () => {
    await using given = await open()
    const paths = [
      'manifests/latest',
      `manifests/${image.digest}`,
      `blobs/${blob.digest}`,
      'tags/list',
      `referrers/${image.digest}`,
    ]
    for (const path of paths) {
      for (const method of ['GET', 'HEAD']) {
        const [old, now] = [`acme/public/${path}`, `apex/public/${path}`]
        const [asked, expected] = [await given.send(method, old), await given.send(method, now)]
        expect([asked.status, expected.status]).toEqual([200, 200])
        expect(asked.body.equals(expected.body)).toBe(true)
        expect(asked.headers['docker-content-digest']).toBe(expected.headers['docker-content-digest'])
      }
    }
    expect((await given.send('GET', 'acme/public/tags/list')).json()).toEqual({
      name: 'apex/public',
      tags: ['latest'],
    })
  })

  test('accepts tokens with the former name, for pulls', async () => {
    await using given = await open()
    const token = await getToken(given, ['repository:acme/private:pull'], apex)
    for (const path of ['manifests/latest', `blobs/${blob.digest}`]) {
      expect((await given.send('GET', `acme/private/${path}`, token)).status).toBe(200)
    }
    // The token does not cover the new name.
    expect((await given.send('GET', 'apex/private/manifests/latest', token)).status).toBe(401)
    const other = await getToken(given, ['repository:acme/public:pull'], apex)
    expect((await given.send('GET', 'acme/private/manifests/latest', other)).status).toBe(401)
  })

  test('keeps the former name in links to further pages', async () => {
    await using given = await open()
    await pushImage(`${given.server.url}/v2/apex/public`, image, {
      reference: 'next',
      headers: { authorization: basic('root') },
    })
    const { headers } = await given.send('GET', 'acme/public/tags/list?n=1')
    expect(headers.link).toContain('</v2/acme/public/tags/list?n=1&last=latest>')
  })

  test('answers pushes and deletes with the new name, if they are allowed there', async () => {
    await using given = await open()
    const requests = [
      ['POST', `acme/public/${uploads}`],
      ['PUT', 'acme/public/manifests/v2'],
      ['DELETE', 'acme/public/manifests/latest'],
      ['DELETE', `acme/public/blobs/${blob.digest}`],
      ['POST', `acme/new/${uploads}`],
    ] as const
    const token = await getToken(given, ['repository:acme/public:pull,push,delete'], apex)
    for (const [method, path] of requests) {
      for (const authorization of [basic('root'), ...(path.startsWith('acme/new') ? [] : [token])]) {
        const answer = await given.send(method, path, authorization)
        expect([path, answer.status]).toEqual([path, 403])
        expect(answer.json()).toMatchObject({
          errors: [{ code: 'DENIED', message: expect.stringMatching(/use apex\/(?:public|new)$/) }],
        })
      }
    }
    expect((await given.send('GET', 'apex/public/manifests/latest')).status).toBe(200)
  })

  test.each(['pull', 'none'] as const)('B2: reveals nothing to others (anonymous: %s)', async (anonymous) => {
    await using given = await open({ anonymous })
    const requests = [
      ['GET', 'manifests/latest'],
      ['HEAD', `blobs/${blob.digest}`],
      ['GET', 'tags/list'],
      ['POST', uploads],
      ['DELETE', 'manifests/latest'],
    ] as const
    for (const [method, path] of requests) {
      for (const authorization of [undefined, basic('bob')]) {
        const hidden = await given.send(method, `acme/private/${path}`, authorization)
        const absent = await given.send(method, `nobody/private/${path}`, authorization)
        expect(comparable(hidden, ['acme'])).toEqual(comparable(absent, ['nobody']))
        expect(hidden.body.toString()).not.toContain('apex')
      }
    }
  })

  test('B2: gives no access that the new name does not, even if anyone may create repositories', async () => {
    await using given = await open({ anonymous: 'push' })
    await given.server.addUser('carol')
    const asked = (['GET', 'HEAD'] as const).flatMap((method) =>
      ['manifests/latest', `manifests/${image.digest}`, `blobs/${blob.digest}`, 'tags/list']
        .concat(`referrers/${image.digest}`, '_oci/ext/discover')
        .map((path) => [method, path] as const),
    )
    const bearer = await given.server.bearer(['repository:acme/private:pull,push'])
    for (const authorization of [undefined, bearer, basic('carol')]) {
      for (const [method, path] of asked) {
        const by = async (name: string) => {
          const { status, body } = await given.send(method, `${name}/private/${path}`, authorization)
          return `${method} ${path} ${status} ${body.toString().replaceAll('apex', 'acme')}`
        }
        const old = await by('acme')
        expect(old).toMatch(/ 40[13] /)
        // The token has no scope for the new name.
        expect(old).toBe(authorization === bearer ? old : await by('apex'))
      }
      const { headers, ...push } = await given.send('POST', `acme/private/${uploads}`, authorization)
      expect([401, 403]).toContain(push.status)
      expect(`${push.body.toString()} ${JSON.stringify(headers)}`).not.toContain('apex')
    }
    expect((await given.send('GET', 'acme/private/tags/list')).body.toString()).not.toContain('apex')
    expect((await given.send('GET', 'acme/public/manifests/latest')).status).toBe(200)
    expect((await given.send('GET', 'acme/private/manifests/latest', apex)).status).toBe(200)
    const { access } = given.server.auth
    const explained = { principal: 'anonymous', action: 'pull', repository: 'acme/private' } as const
    expect((await access.explain(explained)).allowed).toBe(false)
  })

  test('opens nothing to an administrator whose access token reaches the former name alone', async () => {
    await using given = await open()
    const { accounts, accessTokens } = given.server.auth
    const request = { name: 'narrow', patterns: [parseRepositoryPattern('acm*/**')] }
    const { secret } = await accessTokens.create((await accounts.find('root'))?.id ?? 0, request, tester)
    for (const name of ['acme', 'apex']) {
      expect((await given.send('GET', `${name}/private/tags/list`, basic('root', secret))).status).toBe(403)
    }
  })

  test('can be the source of a mount', async () => {
    await using given = await open()
    const path = `bob/target/${uploads}?mount=${blob.digest}&from=acme/public`
    const scopes = ['repository:bob/target:pull,push', 'repository:acme/public:pull']
    expect((await given.send('POST', path, basic('bob'))).status).toBe(201)
    const again = path.replace('target', 'other')
    const token = await given.server.bearer(
      [scopes[0]?.replace('target', 'other') ?? '', scopes[1] ?? ''],
      'bob',
    )
    expect((await given.send('POST', again, token)).status).toBe(201)
    const hidden = `bob/third/${uploads}?mount=${blob.digest}&from=acme/private`
    expect((await given.send('POST', hidden, basic('bob'))).status).toBe(202)
  })

  test('is in no catalog', async () => {
    await using given = await open()
    const { repositories } = (await given.send('GET', '_catalog', basic('root'))).json() as {
      repositories: string[]
    }
    expect(repositories).toEqual(['apex/private', 'apex/public'])
  })

  test('cannot log in', async () => {
    await using given = await open()
    expect((await given.send('GET', '', apex)).status).toBe(200)
    expect((await given.send('GET', '', basic('acme'))).status).toBe(401)
  })
})
