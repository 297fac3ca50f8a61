/** Pushes whose body arrives long after their head: the credential and the rights at the arrival of the body decide. */
import { setTimeout as delay } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Answer } from '../support/http/client.ts'
import { ask, openRequest } from '../support/http/client.ts'
import { basic, passwordOf } from '../support/parts/identity-server.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { anImageManifest, pushBlob, uploadUrl } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'
import { tester } from '../support/parts/tester.ts'

const registry = shareRegistry({ auth: { anonymous: 'pull' } })
let count = 0
let user: string
let owner: string
let grantId: number

beforeEach(async () => {
  const { accounts, grants } = registry.app.auth
  count += 1
  user = `user${count}`
  owner = `owner${count}`
  for (const name of [user, owner]) {
    await accounts.add({ name, password: passwordOf(name), isAdmin: false }, tester)
  }
  await grants.add({ owner, repositories: '**', role: 'writer', to: user }, tester)
  const [grant] = await grants.list({ owner, limit: 9 })
  grantId = grant!.id
})

type Change = () => Promise<unknown>
const newPassword: Change = () => registry.app.auth.accounts.setPassword(user, 'the next password', tester)
const removedGrant: Change = () => registry.app.auth.grants.remove(grantId, tester)
const lesserGrant: Change = async () => {
  const { grants, roles } = registry.app.auth
  await roles.add({ name: `maker${count}`, actions: ['pull', 'push:create'] }, tester)
  await grants.add({ owner, repositories: '**', role: `maker${count}`, to: user }, tester)
  await grants.remove(grantId, tester)
}
const nothing: Change = () => Promise.resolve()

interface Push {
  readonly method: string
  readonly url: string
  readonly bytes: Buffer
  readonly type?: string
}

/** Sends half of the body before the change and the rest after it. */
async function send(
  { method, url, bytes, type = 'application/octet-stream' }: Push,
  change: Change,
): Promise<Answer> {
  const headers = { authorization: basic(user), 'content-type': type, 'content-length': String(bytes.length) }
  await using request = openRequest(url, { method, headers })
  const half = Math.floor(bytes.length / 2)
  await request.write(bytes.subarray(0, half))
  // A body that arrives at once is authorized only once.
  await delay(300)
  await change()
  return await request.end(bytes.subarray(half))
}

const repositoryUrl = () => `${registry.url}/v2/${owner}/app`

async function aManifestPush(): Promise<Push> {
  const image = anImageManifest()
  for (const blob of image.blobs)
    await pushBlob(repositoryUrl(), blob, { headers: { authorization: basic(user) } })
  const url = `${repositoryUrl()}/manifests/v1`
  return { method: 'PUT', url, bytes: image.bytes, type: image.mediaType }
}

function aBlobPush(): Push {
  const { bytes, digest } = aRandomBlob()
  return { method: 'POST', url: `${repositoryUrl()}/blobs/uploads/?digest=${digest}`, bytes }
}

const asOwner = () => ({ headers: { authorization: basic(owner) } })

describe('a manifest', () => {
  test.each([
    ['the password has changed', newPassword, 401],
    ['the grant was removed', removedGrant, 403],
    ['the grant allows less', lesserGrant, 403],
  ])('is not stored if %s in the meantime', async (_, change, status) => {
    const push = await aManifestPush()
    expect((await send(push, change)).status).toBe(status)
    expect((await ask(push.url, asOwner())).status).toBe(404)
  })

  test('is stored if nothing has changed', async () => {
    expect((await send(await aManifestPush(), nothing)).status).toBe(201)
  })
})

describe('a blob in one request', () => {
  test.each([
    ['the password has changed', newPassword, 401],
    ['the grant was removed', removedGrant, 403],
  ])('is not stored if %s in the meantime', async (_, change, status) => {
    const push = aBlobPush()
    expect((await send(push, change)).status).toBe(status)
    const digest = new URL(push.url).searchParams.get('digest')
    expect((await ask(`${repositoryUrl()}/blobs/${digest}`, asOwner())).status).toBe(404)
  })

  test('is stored if nothing has changed', async () => {
    expect((await send(aBlobPush(), nothing)).status).toBe(201)
  })
})

test('a chunk whose user changed the password in the meantime is refused, and its bytes are kept for the next request', async () => {
  const headers = { authorization: basic(user) }
  const opened = await ask(`${repositoryUrl()}/blobs/uploads/`, { method: 'POST', headers })
  const session = uploadUrl(repositoryUrl(), opened).href
  const { bytes, digest } = aRandomBlob()
  const renewed = { headers: { authorization: basic(user, 'the next password') } }
  expect((await send({ method: 'PATCH', url: session, bytes }, newPassword)).status).toBe(401)
  expect((await ask(session, renewed)).headers['range']).toBe(`0-${bytes.length - 1}`)
  const closed = await ask(`${session}?digest=${digest}`, { ...renewed, method: 'PUT' })
  expect(closed.status).toBe(201)
})
