/** The events that the audit records for requests of clients over HTTP. */
import { describe, expect, test } from 'vitest'
import { ask } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { basic, openIdentityServer, passwordOf } from '../support/parts/identity-server.ts'
import type { IdentityServer } from '../support/parts/identity-server.ts'
import { anImageManifest, pushImage } from '../support/content/manifests.ts'

type Filter = Parameters<IdentityServer['registry']['audit']['export']>[0]

async function openWithUsers(): Promise<IdentityServer> {
  const server = await openIdentityServer()
  for (const name of ['alice', 'bob']) await server.addUser(name)
  return server
}

/** Returns the events, oldest first. */
async function audited({ registry: { audit } }: IdentityServer, filter: Filter) {
  await audit.flush()
  return (await Array.fromAsync(audit.export(filter))).flat()
}

const as = (name: string) => ({ authorization: basic(name), 'user-agent': 'tester/1.0' })

function asking({ url }: IdentityServer, name: string) {
  return (method: string, path: string): Promise<Answer> =>
    ask(`${url}/v2/${path}`, { method, headers: as(name) })
}

describe('the audit', () => {
  test('has the request id of each login, with any result and at any endpoint', async () => {
    await using server = await openIdentityServer({ refreshTokens: true })
    await server.addUser('alice')
    const form = (fields: Record<string, string>) => ({
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
    })
    const password = { grant_type: 'password', username: 'alice' }
    const requests = [
      ['/v2/', { headers: { authorization: basic('alice', 'wrong password') } }],
      ['/v2/', { headers: { authorization: basic('nobody', 'wrong password') } }],
      ['/v2/', { headers: { authorization: basic('alice', `ladu_${'0'.repeat(36)}`) } }],
      ['/v2/alice/web/tags/list', { headers: as('alice') }],
      ['/v2/token?service=lading', { headers: { authorization: basic('alice', 'another wrong one') } }],
      ['/v2/token', form({ ...password, password: 'one more wrong one' })],
      ['/v2/token', form({ grant_type: 'refresh_token', refresh_token: 'nobody-got-this' })],
    ] as const
    const ids: (string | undefined)[] = []
    for (const [path, options] of requests)
      ids.push((await ask(`${server.url}${path}`, options)).headers['x-request-id']?.toString())
    const logins = await audited(server, { action: 'login' })
    expect(logins.map(({ outcome, actor }) => [outcome, actor.requestId])).toEqual(
      [
        'wrong-password',
        'unknown',
        'wrong-password',
        'granted',
        'wrong-password',
        'wrong-password',
        'unknown',
      ].map((outcome, index) => [outcome, ids[index]]),
    )
  })

  test('records the actor, address and method of each push, tag move, mount and deletion', async () => {
    await using server = await openWithUsers()
    const alice = asking(server, 'alice')
    const [first, second] = [anImageManifest(), anImageManifest()]
    const pushed = `${server.url}/v2/alice/web`
    await pushImage(pushed, first, { reference: 'v1', headers: as('alice') })
    await pushImage(pushed, second, { reference: 'v1', headers: as('alice') })
    const [blob] = first.blobs
    await alice('POST', `alice/copy/blobs/uploads/?mount=${blob!.digest}&from=alice/web`)
    await alice('DELETE', `alice/copy/blobs/${blob!.digest}`)
    await alice('DELETE', 'alice/web/manifests/v1')
    const answer = await alice('DELETE', `alice/web/manifests/${second.digest}`)

    const events = await audited(server, { actor: 'alice', outcome: 'done' })
    const told = events
      .filter(({ action }) => action !== 'blob.push')
      .map(({ action, target, detail }) => ({ action, target: target?.name, ...detail }))
    expect(told).toEqual([
      { action: 'manifest.push', target: 'alice/web', digest: first.digest },
      { action: 'tag.create', target: 'alice/web', tag: 'v1', digest: first.digest },
      { action: 'manifest.push', target: 'alice/web', digest: second.digest },
      { action: 'tag.move', target: 'alice/web', tag: 'v1', digest: second.digest, before: first.digest },
      { action: 'blob.mount', target: 'alice/copy', digest: blob!.digest },
      { action: 'blob.delete', target: 'alice/copy', digest: blob!.digest },
      { action: 'tag.delete', target: 'alice/web', tag: 'v1', digest: second.digest },
      { action: 'manifest.delete', target: 'alice/web', digest: second.digest },
    ])
    const blobs = events
      .filter(({ action }) => action === 'blob.push')
      .map(({ detail }) => detail?.['digest'])
    expect(blobs).toEqual([...first.blobs, ...second.blobs].map(({ digest }) => digest))
    expect(events.at(-1)).toMatchObject({
      actor: {
        id: expect.stringMatching(/^user:\d+$/),
        address: '127.0.0.1',
        client: 'tester/1.0',
        credential: 'password',
        requestId: answer.headers['x-request-id'],
      },
      target: { kind: 'repository' },
    })
  })

  test('records refused pushes and deletions, one per minute and kind', async () => {
    await using server = await openWithUsers()
    await server.addRepository('alice/web', 'public')
    const bob = asking(server, 'bob')
    for (let count = 0; count < 3; count += 1) {
      expect((await bob('POST', 'alice/web/blobs/uploads/')).status).toBe(403)
      expect((await bob('DELETE', 'alice/web/manifests/v1')).status).toBe(403)
      expect((await bob('POST', 'alice/other/blobs/uploads/')).status).toBe(403)
    }
    server.registry.clock.advance(60_000)
    expect((await bob('POST', 'alice/web/blobs/uploads/')).status).toBe(403)
    const denied = await audited(server, { outcome: 'denied' })
    expect(denied.map(({ action, target, actor }) => [action, target?.name, actor.name])).toEqual([
      ['push', 'alice/web', 'bob'],
      ['delete', 'alice/web', 'bob'],
      ['push', 'alice/other', 'bob'],
      ['push', 'alice/web', 'bob'],
    ])
  })

  test('records a refused request for a token for pushes and deletions', async () => {
    await using server = await openWithUsers()
    await server.addRepository('alice/web', 'public')
    await server.bearer(['repository:alice/web:pull'], 'bob')
    await server.bearer(['repository:alice/web:push', 'repository:alice/other:delete'], 'bob')
    await server.bearer(['repository:alice/web:pull,push'])
    await server.bearer(['repository:alice/web:pull,push'], 'alice')
    const denied = await audited(server, { outcome: 'denied' })
    expect(denied.map(({ action, target, actor }) => [action, target?.name, actor.name])).toEqual([
      ['push', 'alice/web', 'bob'],
      ['delete', 'alice/other', 'bob'],
    ])
  })

  test('records a refused push with a token, but not a HEAD of a blob, whose challenge has the scopes of a push', async () => {
    await using server = await openWithUsers()
    await server.addRepository('alice/web', 'public')
    const path = `${server.url}/v2/alice/web/blobs`
    const blob = `${path}/sha256:${'0'.repeat(64)}`
    const looked = await ask(blob, { method: 'HEAD', headers: { authorization: 'Bearer none' } })
    expect([401, 404]).toContain(looked.status)
    const token = await server.bearer(['repository:alice/web:pull,push'], 'bob')
    const headers = { authorization: token }
    expect((await ask(blob, { method: 'HEAD', headers })).status).toBe(404)
    expect(await audited(server, { outcome: 'denied' })).toEqual([])
    const pulling = await server.bearer(['repository:alice/web:pull'], 'bob')
    for (const authorization of [pulling, token, token]) {
      const push = { method: 'POST', headers: { authorization } }
      expect((await ask(`${path}/uploads/`, push)).status).toBe(401)
    }
    const denied = await audited(server, { outcome: 'denied' })
    expect(denied.map(({ action, target, actor }) => [action, target?.name, actor.name])).toEqual([
      ['push', 'alice/web', 'bob'],
    ])
  })

  test('records a push that fails at its first step, because the token does not allow pulls, either', async () => {
    await using server = await openWithUsers()
    await server.addRepository('alice/secret', 'private')
    await server.bearer(['repository:alice/secret:pull,push'], 'bob')
    const denied = await audited(server, { outcome: 'denied' })
    expect(denied.map(({ action, target, actor }) => [action, target?.name, actor.name])).toEqual([
      ['push', 'alice/secret', 'bob'],
    ])
  })

  test('does not record pulls, nor challenges', async () => {
    await using server = await openWithUsers()
    await server.addRepository('alice/web', 'public')
    await pushImage(`${server.url}/v2/alice/web`, anImageManifest(), {
      reference: 'v1',
      headers: as('alice'),
    })
    const before = (await audited(server, {})).length
    expect((await asking(server, 'alice')('GET', 'alice/web/manifests/v1')).status).toBe(200)
    expect((await ask(`${server.url}/v2/alice/web/blobs/uploads/`, { method: 'POST' })).status).toBe(401)
    expect(await audited(server, {})).toHaveLength(before)
  })

  test('records a login once, not with each request', async () => {
    await using server = await openWithUsers()
    const alice = asking(server, 'alice')
    for (let count = 0; count < 5; count += 1) await alice('GET', '')
    expect(await audited(server, { action: 'login', actor: 'alice' })).toHaveLength(1)
  })

  test('G1, E4: keeps no secret and no second line, whatever clients send', async () => {
    await using server = await openWithUsers()
    await server.addRepository('alice/web', 'private')
    const secret = 'hunter2-hunter2-hunter2'
    const token = await server.bearer(['repository:alice/web:pull,push'], 'alice')
    const secrets = [secret, passwordOf('alice'), token.slice('Bearer '.length), 'a-cookie-value']
    const headers = [
      basic('alice'),
      basic('alice', secret),
      basic(secret, secret),
      `Bearer ${secret}`,
      `Basic ${secret}`,
      token,
    ]
    for (const authorization of headers) {
      for (const [method, path] of [
        ['GET', `token?scope=repository:alice/web:push&account=${secret}&service=${secret}`],
        ['POST', 'alice/web/blobs/uploads/'],
        ['DELETE', `bob/web/manifests/${secret}`],
      ] as const) {
        const cookie = 'lading_session=a-cookie-value'
        await ask(`${server.url}/v2/${path}`, {
          method,
          headers: { authorization, cookie, 'user-agent': 'a\tb' },
        })
      }
    }
    const events = await audited(server, {})
    expect(new Set(events.map(({ outcome }) => outcome))).toContain('wrong-password')
    const text = JSON.stringify(events)
    for (const known of [...secrets, ...secrets.map((plain) => btoa(plain))])
      expect(text).not.toContain(known)
    expect(events.filter(({ actor }) => /\p{Cc}/u.test(actor.client ?? ''))).toEqual([])
  })
})
