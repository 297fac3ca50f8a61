import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { anOciLayout } from '../support/content/oci-layout.ts'
import { runTool } from '../support/processes/run-tool.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { tarOf } from '../support/content/tar.ts'
import { alice, bob, setVisibility, startWithUsers } from './accounts.ts'
import type { ClientAtHome } from './client-at-home.ts'
import { aClientAtHome, mounts, uploadedBytes } from './client-at-home.ts'
import { builtClient } from './client-programs.ts'
import { blobsOf, differences, pushTags } from './pulled-content.ts'
import type { Credentials } from './run-client.ts'

const program = await builtClient('crane', 'version')
let registry: RunningRegistry

beforeAll(async () => {
  registry = await startWithUsers()
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
})

async function start(credentials: Credentials = alice): Promise<ClientAtHome> {
  const crane = await aClientAtHome(program, registry)
  await login(crane, credentials)
  return crane
}

function login(crane: ClientAtHome, { name, password }: Credentials): Promise<string> {
  return crane.tell(password, 'auth', 'login', crane.host, '--username', name, '--password-stdin')
}

describe('crane', () => {
  test('reports a wrong password at its first request, and a missing login', async () => {
    await using crane = await aClientAtHome(program, registry)
    await using layout = await anOciLayout({ platforms: ['linux/amd64'] })
    const image = `${crane.host}/alice/login:v1`
    const catalog = () => crane.run('catalog', crane.host)
    const push = () => crane.run('push', layout.path, image)

    await expect(crane.run('ls', `${crane.host}/alice/login`)).rejects.toThrow(
      'UNAUTHORIZED: a token issued without a login cannot be used to pull from alice/login: log in',
    )
    await expect(push()).rejects.toThrow(/401 Unauthorized/)
    await login(crane, { ...alice, password: 'wrong' })
    await expect(catalog()).rejects.toThrow('UNAUTHORIZED: incorrect name or password')
    await login(crane, bob)
    await expect(push()).rejects.toThrow(/401 Unauthorized/)
    await login(crane, alice)
    await push()

    expect(await catalog()).toContain('alice/login')
    expect(await crane.run('digest', image)).toBe(layout.manifest.digest)
  })

  test('pushes an index of three platforms and pulls it into an empty layout with every byte', async () => {
    await using crane = await start()
    const platforms = ['linux/amd64', 'linux/arm64/v8', 'linux/arm/v7']
    await using layout = await anOciLayout({ platforms, layerBytes: 1_000_000 })
    const image = `${crane.host}/alice/index:v1`

    expect(await crane.run('push', layout.path, image)).toBe(
      `${crane.host}/alice/index@${layout.manifest.digest}`,
    )
    await crane.run('pull', '--format', 'oci', image, 'pulled')

    expect(await differences(join(crane.home, 'pulled'), layout.manifest)).toEqual([])
    expect(await crane.run('validate', '--remote', image)).toContain('PASS')
    const arm64 = await crane.run('manifest', '--platform', 'linux/arm64/v8', image)
    expect(arm64).toBe(layout.images[1]?.bytes.toString('utf8'))
    expect(await crane.run('digest', '--platform', 'linux/arm/v7', image)).toBe(layout.images[2]?.digest)
  })

  test('copies between repositories only by mounts, without sending a byte of a blob', async () => {
    await using crane = await start()
    await using layout = await anOciLayout({ layers: 3 })
    const [source, copy] = [`${crane.host}/alice/source:v1`, `${crane.host}/alice/copy:v1`]
    await crane.run('push', layout.path, source)
    expect(uploadedBytes(crane.seen)).toBeGreaterThan(6 * 100_000)
    const before = crane.seen.length

    await crane.run('copy', source, copy)

    const copying = crane.seen.slice(before)
    expect(mounts(copying)).toEqual(blobsOf(layout.manifest).map(() => 201))
    expect(uploadedBytes(copying)).toBe(0)
    await crane.run('pull', '--format', 'oci', copy, 'pulled')
    expect(await differences(join(crane.home, 'pulled'), layout.manifest)).toEqual([])
  })

  test('mounts from a public repository of another owner, and cannot read a private one', async () => {
    await using crane = await start()
    await using layout = await anOciLayout({ platforms: ['linux/amd64'] })
    const [source, copy] = [`${crane.host}/alice/shared:v1`, `${crane.host}/bob/copy:v1`]
    await crane.run('push', layout.path, source)
    await login(crane, bob)

    await expect(crane.run('copy', source, copy)).rejects.toThrow(
      'user bob may not pull from alice/shared with this token',
    )
    await setVisibility(registry, 'alice/shared', 'public')
    const before = crane.seen.length
    await crane.run('copy', source, copy)

    const copying = crane.seen.slice(before)
    expect(mounts(copying)).toEqual(blobsOf(layout.manifest).map(() => 201))
    expect(uploadedBytes(copying)).toBe(0)
    expect(await crane.run('digest', copy)).toBe(layout.manifest.digest)
  })

  test('appends a layer to an image in the registry, changes its configuration and exports its files', async () => {
    await using crane = await start()
    await using layout = await anOciLayout({ platforms: ['linux/amd64'] })
    const repository = `${crane.host}/alice/append`
    await crane.run('push', layout.path, `${repository}:v1`)
    const layer = tarOf([{ path: 'greeting', bytes: Buffer.from('hello') }])
    await writeFile(join(crane.home, 'layer.tar'), layer)
    const before = crane.seen.length

    await crane.run('append', '-b', `${repository}:v1`, '-f', 'layer.tar', '-t', `${repository}:v2`)
    await crane.run('mutate', '-l', 'org.example.by=crane', '-t', `${repository}:v3`, `${repository}:v2`)
    await crane.run('export', `${repository}:v3`, 'files.tar')

    expect(uploadedBytes(crane.seen.slice(before))).toBeLessThan(10_000)
    const names = await runTool('tar', '-tf', join(crane.home, 'files.tar'))
    expect(names.split('\n').toSorted()).toEqual(['data/file-0', 'data/file-1', 'greeting'])
    expect(await crane.run('config', `${repository}:v3`)).toContain('"org.example.by":"crane"')
  })

  test('lists more tags than fit on the page that it asks for', async () => {
    await using crane = await start()
    const tags = await pushTags(`${registry.url}/v2/alice/pages`, 1_050, alice)

    const listed = await crane.run('ls', `${crane.host}/alice/pages`)

    expect(listed.split('\n')).toEqual(tags)
    const pages = crane.seen.flatMap(({ path, status }) =>
      path.includes('/tags/list') && status === 200 ? [new URL(path, registry.url).searchParams] : [],
    )
    expect(pages.map((query) => [query.get('n'), query.get('last')])).toEqual([
      ['1000', null],
      ['1000', 'tag-00999'],
    ])
  })

  test('deletes a tag by its name, and an image with all its tags by its digest', async () => {
    await using crane = await start()
    await using layout = await anOciLayout({ platforms: ['linux/amd64'] })
    await using other = await anOciLayout({ platforms: ['linux/amd64'] })
    const repository = `${crane.host}/alice/delete`
    await crane.run('push', layout.path, `${repository}:v1`)
    for (const tag of ['v2', 'latest']) await crane.run('tag', `${repository}:v1`, tag)
    await crane.run('push', other.path, `${repository}:v9`)
    const ls = async () => (await crane.run('ls', repository)).split('\n')

    await crane.run('delete', `${repository}:v2`)
    expect(await ls()).toEqual(['latest', 'v1', 'v9'])
    await crane.run('delete', `${repository}@${layout.manifest.digest}`)
    expect(await ls()).toEqual(['v9'])

    await expect(crane.run('manifest', `${repository}:v1`)).rejects.toThrow(
      'MANIFEST_UNKNOWN: manifest unknown: repository alice/delete has no tag v1',
    )
    expect(await crane.run('digest', `${repository}:v9`)).toBe(other.manifest.digest)
  })
})
