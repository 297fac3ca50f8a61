/** oras-py: its HTTP library joins the lines of a challenge, and its pattern keeps the last value of each name. */
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import { alice, bob, setVisibility, startWithUsers } from './accounts.ts'
import type { ClientAtHome } from './client-at-home.ts'
import { aClientAtHome, uploadedBytes } from './client-at-home.ts'
import { installedTool } from './client-programs.ts'
import type { Credentials } from './run-client.ts'

const python = { path: installedTool('python-clients/bin/python', 'python-clients.sh') }
const script = join(import.meta.dirname, 'oras-py.py')
// The basic backend sends every body once without a login first. The recording proxy forwards a refusal only after it has
// received the body, and a longer body would wait there for a reader: this one fits into the buffers.
const dataBytes = 50_000
let registry: RunningRegistry

beforeAll(async () => {
  registry = await startWithUsers()
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
})

interface StartOptions {
  readonly url: string
  readonly bytes?: Buffer
  readonly backend?: 'token' | 'basic'
}

interface OrasPy extends ClientAtHome {
  oras(operation: string, ...args: readonly string[]): Promise<string>
  login(credentials: Credentials): Promise<string>
}

/** Starts oras-py, which pushes `data.bin` in its home folder. */
async function start({
  url,
  bytes = randomBytes(dataBytes),
  backend = 'token',
}: StartOptions): Promise<OrasPy> {
  const client = await aClientAtHome(python, { url })
  await writeFile(join(client.home, 'data.bin'), bytes)
  const oras = (operation: string, ...args: readonly string[]) =>
    client.run(script, client.host, backend, operation, ...args)
  const login = ({ name, password }: Credentials) =>
    client.tell(password, script, client.host, backend, 'login', name)
  return { ...client, oras, login }
}

async function isPulled({ home }: ClientAtHome): Promise<boolean> {
  const [pushed, pulled] = await Promise.all(
    ['data.bin', 'pulled/data.bin'].map((path) => readFile(join(home, path))),
  )
  return pushed !== undefined && pulled?.equals(pushed) === true
}

/** Pushes with the password in each request, as the basic backend of oras-py does. */
async function pushed(repository: string, bytes: Buffer): Promise<void> {
  await using pusher = await start({ url: registry.url, bytes, backend: 'basic' })
  await pusher.login(alice)
  await pusher.oras('push', `${repository}:v1`, 'data.bin')
}

describe('oras-py', () => {
  test('pushes and pulls without a login if everyone may', async () => {
    await using open = await startRegistry()
    await using client = await start({ url: open.url })

    await client.oras('push', 'anyone/data:v1', 'data.bin')
    await client.oras('pull', 'anyone/data:v1', 'pulled')

    expect(await isPulled(client)).toBe(true)
  })

  test('pushes a private artifact only with the right password, and pulls it', async () => {
    await using client = await start({ url: registry.url, backend: 'basic' })
    const push = () => client.oras('push', 'alice/data:v1', 'data.bin')

    await client.login({ ...alice, password: 'wrong' })
    await expect(push()).rejects.toThrow('incorrect name or password')
    await client.login(bob)
    await expect(push()).rejects.toThrow('user bob may not push to alice/data')
    await client.login(alice)
    expect(await push()).toMatch(/^sha256:/)
    await client.oras('pull', 'alice/data:v1', 'pulled')

    expect(await isPulled(client)).toBe(true)
    expect(await client.oras('tags', 'alice/data')).toBe('v1')
  })

  test('gets a token only with the right password, and sends the password only to the token endpoint', async () => {
    const bytes = randomBytes(dataBytes)
    await pushed('alice/token', bytes)
    await using client = await start({ url: registry.url, bytes })
    const pull = () => client.oras('pull', 'alice/token:v1', 'pulled')

    await expect(pull()).rejects.toThrow(/401|Unauthorized/)
    await client.login({ ...alice, password: 'wrong' })
    await expect(pull()).rejects.toThrow('Cannot respond to request for authentication')
    await client.login(bob)
    await expect(pull()).rejects.toThrow(/401|403|Unauthorized/)
    await client.login(alice)
    await pull()

    expect(await isPulled(client)).toBe(true)
    const paths = client.seen.filter(({ scheme }) => scheme === 'Basic').map(({ path }) => path.split('?')[0])
    expect(new Set(paths)).toEqual(new Set(['/v2/token']))
  })

  test('pulls a public artifact without a login', async () => {
    const bytes = randomBytes(dataBytes)
    await pushed('alice/public', bytes)
    await setVisibility(registry, 'alice/public', 'public')
    await using client = await start({ url: registry.url, bytes })

    await client.oras('pull', 'alice/public:v1', 'pulled')

    expect(await isPulled(client)).toBe(true)
  })

  // After another 401 it sends the same token again.
  test('pushes with the token of its first request, a HEAD of a blob', async () => {
    const bytes = randomBytes(dataBytes)
    await using client = await start({ url: registry.url, bytes })
    await client.login(alice)

    await client.oras('push', 'alice/kept:v1', 'data.bin')
    await client.oras('pull', 'alice/kept:v1', 'pulled')

    expect(await isPulled(client)).toBe(true)
  })

  test('reports which right the token of its first request lacks', async () => {
    await using client = await start({ url: registry.url })
    await client.login(bob)

    await expect(client.oras('push', 'alice/kept:v1', 'data.bin')).rejects.toThrow(
      'user bob may not push to alice/kept with this token',
    )
  })

  test('pushes in chunks', async () => {
    const bytes = randomBytes(100_000)
    await using client = await start({ url: registry.url, bytes, backend: 'basic' })
    await client.login(alice)

    await client.oras('push-chunked', 'alice/chunks:v1', 'data.bin', '30000')
    await client.oras('pull', 'alice/chunks:v1', 'pulled')

    const chunks = client.seen.filter(({ method, status }) => method === 'PATCH' && status === 202)
    expect(chunks.map(({ contentRange }) => contentRange)).toEqual([
      '0-29999',
      '30000-59999',
      '60000-89999',
      '90000-99999',
    ])
    expect(uploadedBytes(chunks)).toBe(100_000)
    expect(await isPulled(client)).toBe(true)
  })

  test('deletes the manifest of a tag', async () => {
    await using client = await start({ url: registry.url, backend: 'basic' })
    await client.login(alice)
    for (const tag of ['v1', 'v2']) await client.oras('push', `alice/delete:${tag}`, 'data.bin')

    expect(await client.oras('delete-tag', 'alice/delete', 'v2')).toBe('True')

    await expect(client.oras('pull', 'alice/delete:v2', 'pulled')).rejects.toThrow(/404|Not Found/i)
  })
})
