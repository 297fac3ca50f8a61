/** The lines of the log about requests at the level `info`: one for each push, one for each refusal, none for their steps. */
import { describe, expect, test } from 'vitest'
import { createLogger } from '../../src/telemetry/logger.ts'
import { askApi } from '../support/http/api-client.ts'
import { ask } from '../support/http/client.ts'
import { basic, passwordOf } from '../support/parts/identity-server.ts'
import { startInProcess } from '../support/parts/in-process.ts'
import { anArtifact, anImageIndex, anImageManifest, pushImage } from '../support/content/manifests.ts'
import { tester } from '../support/parts/tester.ts'

type Line = Readonly<Record<string, unknown>>

/** A registry with the administrator root and the user bob. */
async function start(level: 'info' | 'debug' = 'info') {
  const lines: Line[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line) as Line)
  const deps = { logger: createLogger({ level, destination: { write } }) }
  await using stack = new AsyncDisposableStack()
  const registry = stack.use(await startInProcess({ deps, auth: { anonymous: 'pull' } }))
  const { accounts } = registry.app.auth
  await accounts.add({ name: 'root', password: passwordOf('root'), isAdmin: true }, tester)
  await accounts.add({ name: 'bob', password: passwordOf('bob'), isAdmin: false }, tester)
  const resources = stack.move()
  return {
    url: registry.url,
    lines,
    web: `${registry.url}/v2/acme/web`,
    withoutJobs: () => lines.filter(({ job }) => job === undefined),
    async bearer(scope: string, name?: string): Promise<string> {
      const headers = name === undefined ? {} : { authorization: basic(name) }
      const answer = await ask(`${registry.url}/v2/token?scope=${scope}`, { headers })
      return `Bearer ${(answer.json() as { token: string }).token}`
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

const root = { authorization: basic('root') }

describe('a push', () => {
  test('is one line with repository, tag, digest, size and user', async () => {
    await using given = await start()
    const { web } = given
    const image = anImageManifest({ layers: 3 })
    await pushImage(web, image, { reference: 'v1', headers: root })
    const size = [image, ...image.blobs].reduce((sum, blob) => sum + blob.size, 0)
    expect(given.withoutJobs()).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        requestId: expect.any(String),
        repository: 'acme/web',
        tag: 'v1',
        digest: image.digest,
        size,
        user: 'root',
        address: '127.0.0.1',
        msg: 'image pushed',
      },
    ])
  })

  test('of an index is one line, and so is an artifact that points at an image', async () => {
    await using given = await start()
    const index = anImageIndex({ manifests: [anImageManifest(), anImageManifest()] })
    await pushImage(given.web, index, { reference: 'v1', headers: root })
    await pushImage(given.web, anArtifact({ subject: index.descriptor }), { headers: root })
    expect(given.withoutJobs()).toMatchObject([
      { msg: 'image pushed', digest: index.digest },
      { msg: 'image pushed' },
    ])
  })

  test('shows its steps at debug', async () => {
    await using given = await start('debug')
    await pushImage(given.web, anImageManifest(), { reference: 'v1', headers: root })
    const steps = given.lines.filter(({ msg }) => msg === 'request')
    expect(steps).toHaveLength(5)
    for (const step of steps)
      expect(step).toMatchObject({ level: 'debug', user: 'root', ms: expect.any(Number) })
  })
})

describe('a refusal', () => {
  test('of rights is one line with request id, user, address and reason', async () => {
    await using given = await start()
    const answer = await ask(`${given.web}/blobs/uploads/`, {
      method: 'POST',
      headers: { authorization: basic('bob') },
    })
    expect(given.withoutJobs()).toMatchObject([
      {
        level: 'info',
        msg: 'request refused',
        requestId: answer.headers['x-request-id'],
        method: 'POST',
        path: '/v2/acme/web/blobs/uploads/',
        status: 403,
        user: 'bob',
        address: '127.0.0.1',
        reason: expect.stringContaining('bob'),
      },
    ])
  })

  test('of a password names neither the password nor the name that was typed', async () => {
    await using given = await start()
    await ask(`${given.url}/v2/`, { headers: { authorization: basic('hunter1', 'hunter2') } })
    expect(given.withoutJobs()).toMatchObject([
      { msg: 'request refused', status: 401, reason: expect.stringContaining('incorrect name or password') },
    ])
    expect(JSON.stringify(given.lines)).not.toMatch(/hunter|user/)
  })

  test('of a push with a token that was asked for it is one line', async () => {
    await using given = await start()
    for (const name of ['bob', undefined]) {
      const authorization = await given.bearer('repository:acme/web:pull,push', name)
      await ask(`${given.web}/blobs/uploads/`, { method: 'POST', headers: { authorization } })
    }
    expect(given.withoutJobs()).toMatchObject([
      { msg: 'request refused', user: 'bob' },
      { msg: 'request refused', user: 'anonymous' },
    ])
  })

  test('of a malformed manifest is one line', async () => {
    await using given = await start()
    await ask(`${given.web}/manifests/v1`, { method: 'PUT', headers: root, body: '{' })
    expect(given.withoutJobs()).toMatchObject([{ msg: 'request refused', status: 400, user: 'root' }])
  })

  test('by the management API is one line', async () => {
    await using given = await start()
    await askApi(given.url, '/users', { as: 'bob', json: { name: 'eve', password: 'hunter2-hunter2' } })
    expect(given.withoutJobs()).toMatchObject([
      { msg: 'request refused', status: 403, user: 'bob', address: '127.0.0.1', reason: expect.any(String) },
    ])
    expect(JSON.stringify(given.lines)).not.toContain('hunter2')
  })

  test('is not a challenge, which clients answer with credentials or another token', async () => {
    await using given = await start()
    await ask(`${given.url}/v2/`)
    await ask(`${given.web}/blobs/uploads/`, { method: 'POST' })
    await askApi(given.url, '/users')
    const authorization = await given.bearer('repository:acme/web:pull', 'root')
    await ask(`${given.web}/blobs/uploads/`, { method: 'POST', headers: { authorization } })
    expect(given.withoutJobs()).toEqual([])
  })

  test('is not content that a read does not find', async () => {
    await using given = await start()
    await ask(`${given.web}/manifests/v1`, { headers: root })
    expect(given.withoutJobs()).toEqual([])
  })
})

test('a change by the management API and a deletion are one line each, with their user', async () => {
  await using given = await start()
  const { digest } = anImageManifest()
  const image = anImageManifest()
  await pushImage(given.web, image, { reference: 'v1', headers: root })
  given.lines.length = 0
  await ask(`${given.web}/manifests/v1`, { method: 'DELETE', headers: root })
  await askApi(given.url, '/users', { as: 'root', json: { name: 'eve', password: 'hunter2-hunter2' } })
  await ask(`${given.web}/manifests/${digest}`, { method: 'DELETE', headers: root })
  expect(given.withoutJobs()).toMatchObject([
    { msg: 'request', method: 'DELETE', status: 202, user: 'root' },
    { msg: 'request', method: 'POST', path: '/api/v1/users', status: 201, user: 'root' },
    { msg: 'request refused', method: 'DELETE', status: 404, user: 'root' },
  ])
})

test('the log tells how long a request took, whatever becomes of the time of day', async () => {
  const lines: Line[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line) as Line)
  let setBackMs = 0
  const deps = {
    clock: { now: () => Date.now() - (setBackMs += 3_600_000) },
    logger: createLogger({ level: 'debug', destination: { write } }),
  }
  await using registry = await startInProcess({ deps })
  const { status } = await fetch(`${registry.repository()}/blobs/uploads/`, { method: 'POST' })
  expect(status).toBe(202)
  const { ms } = lines.find(({ msg }) => msg === 'request') ?? {}
  expect(ms).toBeGreaterThanOrEqual(0)
  // An hour is far longer than the test can take.
  expect(ms).toBeLessThan(3_600_000)
})
