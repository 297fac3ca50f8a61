/** zstd:chunked: podman knows which files of a layer it has, and requests the rest with many ranges in one request. */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { startRecordingProxy } from '../support/http/recording-proxy.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import type { TempFolder } from '../support/processes/temp-folder.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import { alice, startWithUsers } from './accounts.ts'
import type { Podman } from './run-client.ts'
import { aPodman } from './run-client.ts'

let registry: RunningRegistry
let folder: TempFolder
let podman: Podman

beforeAll(async () => {
  registry = await startWithUsers()
  folder = await tempFolder('podman-partial')
  podman = await aPodman({ partialPulls: true })
})
afterAll(async () => {
  await podman[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
  await registry[Symbol.asyncDispose]()
})

const fileBytes = 100_000
const nameOf = (index: number): string => `file-${String(index).padStart(2, '0')}`

test('podman pulls only the missing files of a second version, with many ranges in one request', async () => {
  await using proxy = await startRecordingProxy({ url: registry.url })
  const image = `${proxy.host}/alice/app`
  const data = join(folder.path, 'data')
  await mkdir(data)
  for (let index = 0; index < 30; index += 1) {
    await writeFile(join(data, nameOf(index)), randomBytes(fileBytes))
  }
  await writeFile(join(folder.path, 'Dockerfile'), 'FROM scratch\nCOPY data /data\n')
  const login = ['login', '--tls-verify=false', '--username', alice.name, '--password', alice.password]
  await podman.run(...login, proxy.host)
  const push = async (tag: string) => {
    await podman.run('build', '--quiet', '--tag', `${image}:${tag}`, folder.path)
    const flags = ['--tls-verify=false', '--compression-format', 'zstd:chunked']
    await podman.run('push', ...flags, `${image}:${tag}`)
  }
  const pull = async (tag: string) => {
    const before = proxy.seen.length
    await podman.run('pull', '--quiet', '--tls-verify=false', `${image}:${tag}`)
    return proxy.seen.slice(before).filter(({ path, status }) => path.includes('/blobs/') && status < 300)
  }

  await push('v1')
  const changed = [3, 17, 26].map((index) => join(data, nameOf(index)))
  for (const file of changed) await writeFile(file, randomBytes(fileBytes))
  await push('v2')
  await podman.run('rmi', '--all', '--force')
  const first = await pull('v1')
  const second = await pull('v2')

  const bytesOf = (requests: typeof first) => requests.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0)
  expect(bytesOf(first)).toBeGreaterThan(30 * fileBytes)
  expect(bytesOf(second)).toBeGreaterThan(3 * fileBytes)
  expect(bytesOf(second)).toBeLessThan(5 * fileBytes)
  const many = second.filter(({ range }) => range.includes(','))
  expect(many).toHaveLength(1)
  expect(many[0]).toMatchObject({
    status: 206,
    contentType: expect.stringMatching(/^multipart\/byteranges; boundary=/) as unknown,
  })
  const mounted = await podman.run('image', 'mount', `${image}:v2`)
  for (let index = 0; index < 30; index += 1) {
    const pulled = await readFile(join(mounted, 'data', nameOf(index)))
    expect(pulled.equals(await readFile(join(data, nameOf(index))))).toBe(true)
  }
  await podman.run('image', 'unmount', '--all')
})
