/** docker_registry2, the gem with which Dependabot inspects images, insofar as `docker-registry2.rb` matches that gem. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { anOciLayout } from '../support/content/oci-layout.ts'
import type { OciLayout } from '../support/content/oci-layout.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { alice, bob, setVisibility, startWithUsers } from './accounts.ts'
import type { ClientAtHome } from './client-at-home.ts'
import { aClientAtHome } from './client-at-home.ts'
import { pushLayout } from './layouts.ts'
import type { Credentials } from './run-client.ts'

const script = join(import.meta.dirname, 'docker-registry2.rb')
let registry: RunningRegistry
let layout: OciLayout

beforeAll(async () => {
  registry = await startWithUsers()
  layout = await anOciLayout({ platforms: ['linux/amd64'] })
  for (const repository of ['alice/private', 'alice/public']) {
    await pushLayout(layout, `${registry.host}/${repository}:v1`, { as: alice })
  }
  await setVisibility(registry, 'alice/public', 'public')
})
afterAll(async () => {
  await layout[Symbol.asyncDispose]()
  await registry[Symbol.asyncDispose]()
})

function aRuby(): Promise<ClientAtHome> {
  return aClientAtHome({ path: '/usr/bin/ruby' }, { url: registry.url })
}

function get(ruby: ClientAtHome, path: string, { name, password }: Credentials): Promise<string> {
  return ruby.tell(password, script, `http://${ruby.host}`, name, path)
}

const nobody: Credentials = { name: '', password: '' }

describe('docker_registry2', () => {
  test('gets a token only with the right password, and lists tags and repositories', async () => {
    await using ruby = await aRuby()
    const tags = (credentials: Credentials) => get(ruby, 'v2/alice/private/tags/list', credentials)

    await expect(tags(nobody)).rejects.toThrow('401 Unauthorized')
    await expect(tags({ ...alice, password: 'wrong' })).rejects.toThrow('incorrect name or password')
    await expect(tags(bob)).rejects.toThrow('user bob may not pull from alice/private')
    expect(JSON.parse(await tags(alice))).toEqual({ name: 'alice/private', tags: ['v1'] })

    const { repositories } = JSON.parse(await get(ruby, 'v2/_catalog', alice)) as Record<string, unknown>
    expect(repositories).toContain('alice/private')
    const basic = ruby.seen.filter(({ scheme }) => scheme === 'Basic').map(({ path }) => path.split('?')[0])
    expect(new Set(basic)).toEqual(new Set(['/v2/token']))
  })

  test('gets the manifest of a private image with a login, and of a public one without', async () => {
    await using ruby = await aRuby()
    const manifest = layout.manifest.bytes.toString('utf8').trim()

    expect(await get(ruby, 'v2/alice/private/manifests/v1', alice)).toBe(manifest)
    expect(await get(ruby, 'v2/alice/public/manifests/v1', nobody)).toBe(manifest)
  })
})
