import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { anOciLayout } from '../support/content/oci-layout.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { alice, startWithUsers } from './accounts.ts'
import type { ClientAtHome } from './client-at-home.ts'
import { aClientAtHome } from './client-at-home.ts'
import { unstableClients } from './client-programs.ts'
import { pushLayout } from './layouts.ts'
import { askAs } from './pulled-content.ts'

const plainHttp = '--insecure-registry'
const signatureType = 'application/vnd.cncf.notary.signature'
let registry: RunningRegistry

beforeAll(async () => {
  registry = await startWithUsers()
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
})

/** Starts notation with a key whose certificate is the only one that it trusts. */
async function startWithKey(program: { readonly path: string }): Promise<ClientAtHome> {
  const notation = await aClientAtHome(program, { url: registry.url })
  await notation.run('cert', 'generate-test', '--default', 'test.example')
  const policy = {
    name: 'test',
    registryScopes: ['*'],
    signatureVerification: { level: 'strict' },
    trustStores: ['ca:test.example'],
    trustedIdentities: ['*'],
  }
  await mkdir(join(notation.home, '.config/notation'), { recursive: true })
  await writeFile(
    join(notation.home, '.config/notation/trustpolicy.json'),
    JSON.stringify({ version: '1.0', trustPolicies: [policy] }),
  )
  return notation
}

interface Listing {
  readonly manifests?: readonly { readonly digest: string; readonly artifactType: string }[]
  readonly tags?: readonly string[]
}

async function list(path: string): Promise<Listing> {
  return (await askAs(alice, `${registry.url}/v2/alice/${path}`)).json() as Listing
}

// No stable suite has notation: without the unstable suite there is nothing to test, and the run reports it.
const clients = unstableClients('notation')
test.for(clients.length === 0 ? ['notation'] : [])('%s is unavailable and was not tried', () => {
  expect(clients).toEqual([])
})

describe.for(clients)('$name', (program) => {
  test('logs in only with the right password', async () => {
    await using notation = await aClientAtHome(program, { url: registry.url })
    const login = (password: string) =>
      notation.tell(password, 'login', plainHttp, '--username', 'alice', '--password-stdin', notation.host)

    await expect(login('wrong')).rejects.toThrow('unauthorized: incorrect name or password')
    // It needs a keychain to store the login, which a test does not have; by then the registry has accepted the login.
    await login(alice.password).catch(() => undefined)
    const logins = notation.seen.filter(({ path }) => path.startsWith('/v2/token'))
    expect(logins.map(({ status }) => status)).toEqual([401, 200])
  })

  test('signs an image with a referrer, finds the signature and verifies it', async () => {
    await using notation = await startWithKey(program)
    await using layout = await anOciLayout()
    await notation.rememberLogin(alice)
    await pushLayout(layout, `${registry.host}/alice/signed:v1`, { as: alice })
    const image = `${notation.host}/alice/signed@${layout.manifest.digest}`

    await expect(notation.run('verify', plainHttp, image)).rejects.toThrow(/no signature is associated/)
    const sign = ['sign', plainHttp, '--force-referrers-tag=false', image]
    await notation.run(...sign)
    await notation.run(...sign)

    expect(await notation.run('verify', plainHttp, image)).toContain('Successfully verified signature')
    const { manifests = [] } = await list(`signed/referrers/${layout.manifest.digest}`)
    expect(manifests.map(({ artifactType }) => artifactType)).toEqual([signatureType, signatureType])
    const listed = await notation.run('list', plainHttp, image)
    for (const { digest } of manifests) expect(listed).toContain(digest)
    expect((await list('signed/tags/list')).tags).toEqual(['v1'])
  })

  test('keeps the fallback tag of the referrers API, as it does by default', async () => {
    await using notation = await startWithKey(program)
    await using layout = await anOciLayout({ platforms: ['linux/amd64'] })
    await notation.rememberLogin(alice)
    await pushLayout(layout, `${registry.host}/alice/tagged:v1`, { as: alice })
    const image = `${notation.host}/alice/tagged@${layout.manifest.digest}`

    await notation.run('sign', plainHttp, image)
    await notation.run('sign', plainHttp, image)

    const tag = layout.manifest.digest.replace(':', '-')
    expect((await list('tagged/tags/list')).tags).toEqual([tag, 'v1'])
    const byTag = await list(`tagged/manifests/${tag}`)
    const byApi = await list(`tagged/referrers/${layout.manifest.digest}`)
    expect(byTag.manifests).toHaveLength(2)
    expect(byApi.manifests).toEqual(expect.arrayContaining([...(byTag.manifests ?? [])]))
    expect(await notation.run('verify', plainHttp, image)).toContain('Successfully verified signature')
  })

  test('does not trust a signature with another key', async () => {
    await using signer = await startWithKey(program)
    await using verifier = await startWithKey(program)
    await using layout = await anOciLayout({ platforms: ['linux/amd64'] })
    await pushLayout(layout, `${registry.host}/alice/foreign:v1`, { as: alice })
    for (const notation of [signer, verifier]) await notation.rememberLogin(alice)
    const imageFor = ({ host }: ClientAtHome) => `${host}/alice/foreign@${layout.manifest.digest}`

    await signer.run('sign', plainHttp, '--force-referrers-tag=false', imageFor(signer))

    await expect(verifier.run('verify', plainHttp, imageFor(verifier))).rejects.toThrow(
      /signature verification failed/,
    )
  })
})
