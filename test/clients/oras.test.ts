import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { anImageIndex } from '../support/content/manifests.ts'
import { anOciLayout } from '../support/content/oci-layout.ts'
import { digestOf } from '../support/content/random.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { alice, bob, startWithUsers } from './accounts.ts'
import type { ClientAtHome } from './client-at-home.ts'
import { aClientAtHome, mounts, uploadedBytes } from './client-at-home.ts'
import { unpackedClients } from './client-programs.ts'
import { blobsOf, differences, pushTags, putManifest } from './pulled-content.ts'
import type { Credentials } from './run-client.ts'

let registry: RunningRegistry

beforeAll(async () => {
  registry = await startWithUsers()
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
})

const plainHttp = '--plain-http'
const bothPlainHttp = ['--from-plain-http', '--to-plain-http']

describe.for(unpackedClients('oras'))('$name', ({ path, name }) => {
  /** Returns a repository name per version: the versions share a registry, but not their repositories. */
  const repositoryOf = (purpose: string) => `alice/${name.replaceAll(/[^a-z0-9]+/g, '-')}-${purpose}`

  async function start(): Promise<ClientAtHome> {
    const oras = await aClientAtHome({ path }, { url: registry.url })
    await login(oras, alice)
    return oras
  }

  function login(oras: ClientAtHome, { name: user, password }: Credentials): Promise<string> {
    return oras.tell(password, 'login', plainHttp, '--username', user, '--password-stdin', oras.host)
  }

  test('logs in only with the right password, and reports why it may not push', async () => {
    await using oras = await aClientAtHome({ path }, { url: registry.url })
    const image = `${oras.host}/${repositoryOf('login')}:v1`
    await writeFile(join(oras.home, 'notes.txt'), 'notes')
    const push = () => oras.run('push', plainHttp, image, 'notes.txt:text/plain')

    await expect(login(oras, { ...alice, password: 'wrong' })).rejects.toThrow(
      'unauthorized: incorrect name or password',
    )
    await expect(push()).rejects.toThrow(/401|unauthorized/i)
    await login(oras, bob)
    await expect(push()).rejects.toThrow(/401|denied|unauthorized/i)
    expect(await login(oras, alice)).toContain('Login Succeeded')
    await push()

    await oras.run('logout', oras.host)
    await expect(oras.run('pull', plainHttp, image)).rejects.toThrow(
      `a token issued without a login cannot be used to pull from ${repositoryOf('login')}: log in`,
    )
  })

  test('pushes files as an artifact and pulls them with every byte', async () => {
    await using oras = await start()
    const image = `${oras.host}/${repositoryOf('files')}:v1`
    const files = { 'notes.txt': Buffer.from('notes\n'), 'model.bin': Buffer.alloc(3_000_000, 'model') }
    for (const [file, bytes] of Object.entries(files)) await writeFile(join(oras.home, file), bytes)

    const type = ['--artifact-type', 'application/vnd.example.model']
    await oras.run('push', plainHttp, ...type, image, 'notes.txt:text/plain', 'model.bin')
    await oras.run('pull', plainHttp, '--output', 'pulled', image)

    for (const [file, bytes] of Object.entries(files)) {
      expect((await readFile(join(oras.home, 'pulled', file))).equals(bytes)).toBe(true)
    }
    const manifest = await oras.run('manifest', 'fetch', plainHttp, image)
    expect(JSON.parse(manifest)).toMatchObject({
      artifactType: 'application/vnd.example.model',
      layers: Object.values(files).map((bytes) => ({ digest: digestOf(bytes), size: bytes.length })),
    })
    expect(await oras.run('resolve', plainHttp, image)).toBe(digestOf(Buffer.from(manifest)))
  })

  test('copies an index into the registry, within it only by mounts, and out with every byte', async () => {
    await using oras = await start()
    await using layout = await anOciLayout({ layers: 3 })
    const [image, copy] = ['source', 'copy'].map((which) => `${oras.host}/${repositoryOf(which)}:v1`)
    await oras.run('cp', '--from-oci-layout', '--to-plain-http', `${layout.path}:v1`, image ?? '')
    expect(uploadedBytes(oras.seen)).toBeGreaterThan(6 * 100_000)
    const before = oras.seen.length

    await oras.run('cp', ...bothPlainHttp, image ?? '', copy ?? '')
    const copying = oras.seen.slice(before)
    await oras.run('cp', '--from-plain-http', '--to-oci-layout', copy ?? '', 'pulled:v1')

    expect(mounts(copying)).toEqual(blobsOf(layout.manifest).map(() => 201))
    expect(uploadedBytes(copying)).toBe(0)
    expect(await differences(join(oras.home, 'pulled'), layout.manifest)).toEqual([])
  })

  test('attaches an SBOM to an image and a signature to the SBOM, and copies the tree', async () => {
    await using oras = await start()
    await using layout = await anOciLayout()
    const [source, target] = ['tree', 'tree-copy'].map((which) => `${oras.host}/${repositoryOf(which)}`)
    const image = `${source}:v1`
    await oras.run('cp', '--from-oci-layout', '--to-plain-http', `${layout.path}:v1`, image)
    await writeFile(join(oras.home, 'sbom.json'), '{"sbom":true}')
    await writeFile(join(oras.home, 'signature'), 'signed')
    const attach = async (type: string, to: string, file: string) => {
      await oras.run('attach', plainHttp, '--artifact-type', `application/vnd.example.${type}`, to, file)
    }
    const discover = (of: string, ...flags: readonly string[]) =>
      oras.run('discover', plainHttp, '--format', 'tree', ...flags, of)

    await attach('sbom', image, 'sbom.json')
    const sbom = lastDigest(await discover(image))
    await attach('signature', `${source}@${sbom}`, 'signature')
    await oras.run('cp', '-r', ...bothPlainHttp, image, `${target}:v1`)

    const tree = await discover(`${target}:v1`)
    const signature = lastDigest(tree)
    expect(tree).toMatch(
      new RegExp(`vnd.example.sbom\\s.*${sbom}\\s[^]*vnd.example.signature\\s.*${signature}`),
    )
    expect(await discover(image)).toBe(tree.replaceAll(target ?? '', source ?? ''))
    const filtered = await discover(`${target}:v1`, '--artifact-type', 'application/vnd.example.other')
    expect(filtered).not.toContain('vnd.example.sbom')
    await oras.run('pull', plainHttp, '--output', 'pulled', `${target}@${signature}`)
    expect(await readFile(join(oras.home, 'pulled/signature'), 'utf8')).toBe('signed')
    // With OCI-Subject in the response, the fallback tag for the referrers API is not needed.
    for (const repository of [source, target]) {
      expect(await oras.run('repo', 'tags', plainHttp, repository ?? '')).toBe('v1')
    }
  })

  test('lists more tags and repositories than fit on a page', async () => {
    await using oras = await start()
    const tags = await pushTags(`${registry.url}/v2/${repositoryOf('pages')}`, 10_050, alice)
    const repositories = Array.from({ length: 150 }, (_, n) => `${repositoryOf('many')}/n${1_000 + n}`)
    const empty = anImageIndex()
    const urls = repositories.map((repository) => `${registry.url}/v2/${repository}/manifests/v1`)
    await Promise.all(urls.map((url) => putManifest(url, empty, alice)))

    const listed = await oras.run('repo', 'tags', plainHttp, `${oras.host}/${repositoryOf('pages')}`)
    const below = await oras.run('repo', 'ls', plainHttp, oras.host)

    expect(listed.split('\n')).toEqual(tags)
    expect(below.split('\n').filter((repository) => repositories.includes(repository))).toEqual(repositories)
    const pagesOf = (list: string) =>
      oras.seen.filter(({ path: asked, status }) => asked.includes(list) && status === 200)
    expect(pagesOf('/tags/list')).toHaveLength(2)
    expect(pagesOf('/v2/_catalog').length).toBeGreaterThan(1)
  })

  test('tags an image, deletes it with all its tags, and then its blob', async () => {
    await using oras = await start()
    const repository = `${oras.host}/${repositoryOf('delete')}`
    const other = anImageIndex({ annotations: { name: 'other' } })
    await writeFile(join(oras.home, 'notes.txt'), `notes of ${name}`)
    await oras.run('push', plainHttp, `${repository}:v1`, 'notes.txt')
    await oras.run('tag', plainHttp, `${repository}:v1`, 'v2', 'latest')
    await oras.tell(other.bytes.toString('utf8'), 'manifest', 'push', plainHttp, `${repository}:v9`, '-')
    const tags = async () => (await oras.run('repo', 'tags', plainHttp, repository)).split('\n')
    expect(await tags()).toEqual(['latest', 'v1', 'v2', 'v9'])

    await oras.run('manifest', 'delete', plainHttp, '--force', `${repository}:v2`)

    expect(await tags()).toEqual(['v9'])
    const blob = `${repository}@${digestOf(Buffer.from(`notes of ${name}`))}`
    await oras.run('blob', 'delete', plainHttp, '--force', blob)
    await expect(oras.run('blob', 'fetch', plainHttp, '--output', 'notes', blob)).rejects.toThrow(/not found/)
    await expect(oras.run('pull', plainHttp, `${repository}:v1`)).rejects.toThrow(/not found/)
  })
})

/** Returns the last digest of a tree. */
function lastDigest(tree: string): string {
  const digest = tree.match(/sha256:[0-9a-f]{64}/g)?.at(-1)
  if (digest === undefined) throw new Error(`no digest in ${tree}`)
  return digest
}
