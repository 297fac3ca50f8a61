/**
 * Tests the whole management API as different callers: expects no server errors and no response that the document does not
 * describe.
 */
import { expect, test } from 'vitest'
import { createPasswordHasher } from '../../../src/identity/passwords/password-hash.ts'
import { askApi } from '../../support/http/api-client.ts'
import { basic, passwordOf } from '../../support/parts/identity-server.ts'
import { startInProcess } from '../../support/parts/in-process.ts'
import type { InProcessRegistry } from '../../support/parts/in-process.ts'
import { anImageManifest, pushImage } from '../../support/content/manifests.ts'
import { aRandomBlob } from '../../support/content/random.ts'
import { tempFolder } from '../../support/processes/temp-folder.ts'
import { runSchemathesis } from './run-schemathesis.ts'
import { tester } from '../../support/parts/tester.ts'

/** Hashes are cheap here, and failed logins are not delayed: the throttle has its own tests. */
const quickLogins = {
  passwords: createPasswordHasher({ cost: { memoryKib: 64, passes: 1 } }),
  throttle: { sleep: () => Promise.resolve() },
}

test.concurrent.each([
  { name: 'root', thorough: true },
  { name: 'bob', thorough: false },
  { name: undefined, thorough: false },
])('Schemathesis finds nothing as $name', async ({ name, thorough }) => {
  await using folder = await tempFolder()
  await using registry = await startInProcess({ auth: { anonymous: 'pull' }, deps: { auth: quickLogins } })
  await seed(registry)
  const { ok, output } = await runSchemathesis(registry.url, {
    authorization: name === undefined ? undefined : basic(name),
    cwd: folder.path,
    thorough,
  })
  expect(ok ? '' : output).toBe('')
})

/** Creates one of everything, under the example names of the document; bob administers the organization. */
async function seed({ url, app }: InProcessRegistry): Promise<void> {
  const { accounts } = app.auth
  await accounts.add({ name: 'root', password: passwordOf('root'), isAdmin: true }, tester)
  await accounts.add({ name: 'bob', password: passwordOf('bob'), isAdmin: false }, tester)
  const changes: readonly (readonly [method: string, path: string, json: object])[] = [
    ['POST', '/owners', { name: 'acme', visibility: 'private' }],
    ['PUT', '/owners/acme/members/bob', { role: 'owner' }],
    ['POST', '/owners/acme/teams', { name: 'acme' }],
    ['PUT', '/owners/acme/teams/acme/members/bob', {}],
    ['POST', '/owners/acme/robots', { name: 'ci' }],
    ['POST', '/owners/acme/robots/ci/tokens', { name: 'build' }],
    ['POST', '/owners/acme/grants', { role: 'writer', to: 'acme+ci', repositories: 'web/**' }],
    ['POST', '/roles', { name: 'pusher', actions: ['push:create'] }],
  ]
  for (const [method, path, json] of changes) {
    const { status, value } = await askApi(url, path, { method, as: 'root', json })
    if (status >= 300) throw new Error(`${path} answered ${status}: ${JSON.stringify(value)}`)
  }
  const image = anImageManifest({ layers: [aRandomBlob()] })
  await pushImage(`${url}/v2/acme/web`, image, { reference: 'v1', headers: { authorization: basic('root') } })
}
