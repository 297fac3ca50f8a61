/** Lists that wait for reply memory: the credential and the rights after the wait decide. */
import { beforeAll, expect, test } from 'vitest'
import { setTimeout as delay } from 'node:timers/promises'
import type { OpenRequest } from '../support/http/client.ts'
import { ask, openRequest } from '../support/http/client.ts'
import { eventually } from '../support/eventually.ts'
import { basic, passwordOf } from '../support/parts/identity-server.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { pushBlob } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'
import { tester } from '../support/parts/tester.ts'

const mebibyte = 1024 * 1024
const manifestBytes = 4 * mebibyte
const registry = shareRegistry({
  auth: { anonymous: 'pull' },
  limits: { replyMemoryBytes: 16 * mebibyte },
})

beforeAll(async () => {
  const { accounts, grants } = registry.app.auth
  for (const name of ['bob', 'carol']) {
    await accounts.add({ name, password: passwordOf(name), isAdmin: false }, tester)
  }
  await grants.add({ owner: 'bob', repositories: '**', role: 'owner', to: 'carol' }, tester)
  await pushBlob(`${registry.url}/v2/bob/x`, aRandomBlob(), { headers: { authorization: basic('bob') } })
})

/** Occupies carol's share of the memory with a manifest that never ends. */
async function holdMemory(): Promise<OpenRequest> {
  const held = openRequest(`${registry.url}/v2/carol/x/manifests/v1`, {
    method: 'PUT',
    headers: { authorization: basic('carol'), 'content-length': String(manifestBytes) },
  })
  await held.write('{')
  return held
}

test.each([
  ['tags', '/v2/bob/x/tags/list?n=1000'],
  ['the catalog', '/v2/_catalog?n=1000'],
  ['grants', '/api/v1/owners/bob/grants?limit=100'],
  ['the audit of an owner', '/api/v1/audit/owners/bob?limit=100'],
])('a list is not served to a user who was disabled while it waited: %s', async (_, path) => {
  const { accounts } = registry.app.auth
  const headers = { authorization: basic('carol') }
  await using held = await holdMemory()
  const waiting = ask(registry.url + path, { headers })
  await delay(300)
  await accounts.disable('carol', tester)
  held.cut()
  expect((await waiting).status).toBe(401)
  await accounts.enable('carol', tester)
  await eventually(
    () => ask(registry.url + path, { headers }),
    ({ status }) => status === 200,
  )
})
