/** A registry behind nginx, which terminates TLS and has another name than the registry uses for itself. */
import https from 'node:https'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { ask } from '../support/http/client.ts'
import { findFreePort } from '../support/processes/free-port.ts'
import { anOciLayout } from '../support/content/oci-layout.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import { alice, startWithUsers } from './accounts.ts'
import { engineKinds, layersOf, startEngine } from './docker-engine.ts'
import type { DockerEngine } from './docker-engine.ts'
import { startNginx } from './nginx.ts'
import type { Nginx } from './nginx.ts'
import { runClient } from './run-client.ts'

/** nginx sends a `Host` that clients cannot reach, and sends the client's host in other headers. */
const forwarding = [
  'proxy_set_header Host registry.invalid;',
  'proxy_set_header X-Forwarded-Host $http_host;',
  'proxy_set_header X-Forwarded-Proto $scheme;',
  'proxy_set_header X-Forwarded-For $remote_addr;',
]

interface Given extends AsyncDisposable {
  readonly registry: RunningRegistry
  readonly nginx: Nginx
  /** `localhost:<port>` of nginx. */
  readonly host: string
}

async function start(
  envOf: (url: string) => Readonly<Record<string, string>>,
  headers = forwarding,
): Promise<Given> {
  await using stack = new AsyncDisposableStack()
  const port = await findFreePort()
  const host = `localhost:${port}`
  const registry = stack.use(await startWithUsers(envOf(`https://${host}`)))
  const nginx = stack.use(await startNginx({ port, upstream: registry.host, headers }))
  const resources = stack.move()
  return { registry, nginx, host, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

const trusting = () => ({ LADING_HTTP_TRUSTED_PROXIES: '127.0.0.1' })
const configured = (url: string) => ({ LADING_HTTP_PUBLIC_URL: url })
const both = (url: string) => ({ ...trusting(), ...configured(url) })

/** Sends a request through nginx and returns the head of the response. */
async function askHead(
  { host, nginx }: Given,
  path: string,
  options: https.RequestOptions = {},
): Promise<Readonly<Record<string, unknown>>> {
  const { promise, resolve, reject } = Promise.withResolvers<Readonly<Record<string, unknown>>>()
  const request = https.request(`https://${host}${path}`, { ...options, ca: nginx.certificate, agent: false })
  request.on('error', reject).on('response', (response) => {
    response.resume()
    resolve(response.headers)
  })
  request.end()
  return await promise
}

/** Starts an upload as alice through nginx; returns the `Location`. */
async function startUpload(given: Given, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const authorization = `Basic ${Buffer.from(`${alice.name}:${alice.password}`).toString('base64')}`
  const path = '/v2/alice/app/blobs/uploads/'
  const { location } = await askHead(given, path, { method: 'POST', headers: { ...headers, authorization } })
  return new URL(String(location), `https://${given.host}${path}`).href
}

function realmOf(headers: Readonly<Record<string, unknown>>): string | undefined {
  return /realm="([^"]*)"/.exec(String(headers['www-authenticate']))?.[1]
}

let engine: DockerEngine

beforeAll(async () => {
  const [stable] = engineKinds
  if (stable === undefined) throw new Error('no engine started')
  engine = await startEngine(stable)
})
afterAll(async () => {
  await engine[Symbol.asyncDispose]()
})

describe.for([
  { how: 'that it trusts', envOf: trusting },
  { how: 'that it does not trust, with its public address configured', envOf: configured },
  { how: 'that it trusts, with its public address configured', envOf: both },
])('a registry behind a proxy $how', ({ envOf }) => {
  test("sends realm and Location with the client's address of it", async () => {
    await using given = await start(envOf)
    const url = `https://${given.host}`

    expect(realmOf(await askHead(given, '/v2/'))).toBe(`${url}/v2/token`)
    expect(await startUpload(given)).toContain(`${url}/v2/alice/app/blobs/uploads/`)
  })

  test("ignores a client's values in the headers of proxies", async () => {
    await using given = await start(envOf)
    const forged = {
      'x-forwarded-host': 'evil.test',
      'x-forwarded-proto': 'http',
      'x-forwarded-for': '127.0.0.1, 127.0.0.1',
      forwarded: 'for=127.0.0.1;host=evil.test;proto=http',
    }

    const url = `https://${given.host}`
    expect(realmOf(await askHead(given, '/v2/', { headers: forged }))).toBe(`${url}/v2/token`)
    expect(await startUpload(given, forged)).toContain(`${url}/v2/alice/app/blobs/uploads/`)
  })

  test('lets skopeo log in, push and pull', async () => {
    await using given = await start(envOf)
    await using layout = await anOciLayout()
    await using folder = await tempFolder()
    const { host, nginx } = given
    const env = { REGISTRY_AUTH_FILE: join(folder.path, 'auth.json') }
    const skopeo = (...args: readonly string[]) => runClient('skopeo', args, { env })
    const image = `docker://${host}/alice/app:v1`
    const login = ['login', '--cert-dir', nginx.certificateFolder, '--username', alice.name, '--password']

    await expect(skopeo(...login, 'wrong', host)).rejects.toThrow(/invalid username\/password/)
    await skopeo(...login, alice.password, host)
    await skopeo('copy', '--all', '--dest-cert-dir', nginx.certificateFolder, `oci:${layout.path}:v1`, image)
    const out = join(folder.path, 'out')
    await skopeo('copy', '--all', '--src-cert-dir', nginx.certificateFolder, image, `oci:${out}:v1`)

    expect(await readFile(join(out, 'index.json'), 'utf8')).toContain(layout.manifest.digest)
  })

  test('lets docker log in, push and pull', async () => {
    await using given = await start(envOf)
    await using client = await engine.client()
    const image = `${given.host}/alice/app:v1`
    const layers = await client.load(image)

    expect(await client.login(given.host, alice)).toContain('Login Succeeded')
    await client.run('push', image)
    await engine.clear()
    await client.run('pull', image)

    expect(await layersOf(client, image)).toEqual(layers)
  })
})

describe('a registry behind a proxy that it does not know', () => {
  test('takes its name only from Host', async () => {
    await using given = await start(
      () => ({}),
      [
        'proxy_set_header Host $http_host;',
        'proxy_set_header X-Forwarded-Host evil.test;',
        'proxy_set_header X-Forwarded-Proto https;',
      ],
    )

    expect(realmOf(await askHead(given, '/v2/'))).toBe(`http://${given.host}/v2/token`)
  })

  test('ignores X-Forwarded-Host from any client', async () => {
    await using registry = await startWithUsers({ LADING_HTTP_TRUSTED_PROXIES: '192.0.2.1' })
    const headers = { 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'https' }

    const answer = await ask(`${registry.url}/v2/`, { headers })

    expect(realmOf(answer.headers)).toBe(`${registry.url}/v2/token`)
  })
})
