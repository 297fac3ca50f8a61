/** A command in its own process disables a user while the server runs: all credentials of the user end. */
import { expect, test } from 'vitest'
import { ask } from '../support/http/client.ts'
import { runLading } from '../support/processes/run-lading.ts'
import { startRegistry } from '../support/processes/start-registry.ts'

const password = 'correct horse battery'
const basic = `Basic ${Buffer.from(`alice:${password}`).toString('base64')}`

test('C2: a disabled user loses access at once: Basic, tokens, refresh tokens, and the next request of an upload', async () => {
  await using registry = await startRegistry({
    env: { LADING_AUTH_ANONYMOUS: 'pull', LADING_AUTH_REFRESH_TOKENS: 'true' },
  })
  const { url, dataDir } = registry
  const command = { env: { LADING_DATA: dataDir } }
  const added = await runLading('user add alice --password-stdin', { ...command, stdin: password })
  expect(added).toMatchObject({ code: 0 })

  const scope = 'repository:alice/web:pull,push'
  const login = await ask(`${url}/v2/token?service=lading&offline_token=true&scope=${scope}`, {
    headers: { authorization: basic },
  })
  const issued = login.json() as { token: string; refresh_token: string }
  const bearer = `Bearer ${issued.token}`
  const opened = await ask(`${url}/v2/alice/web/blobs/uploads/`, {
    method: 'POST',
    headers: { authorization: bearer },
  })
  expect(opened.status).toBe(202)
  const session = new URL(String(opened.headers.location), url).href
  const patch = { method: 'PATCH', body: 'the first piece', headers: { authorization: bearer } }
  expect((await ask(session, patch)).status).toBe(202)

  const disabled = await runLading('user disable alice', command)
  expect(disabled).toMatchObject({ code: 0 })

  const statusOf = async (path: string, authorization: string): Promise<number> =>
    (await ask(`${url}${path}`, { headers: { authorization } })).status
  expect(await statusOf('/v2/', basic)).toBe(401)
  expect(await statusOf('/v2/', bearer)).toBe(401)
  expect(await statusOf('/v2/alice/web/tags/list', basic)).toBe(401)
  expect(await statusOf('/v2/alice/web/tags/list', bearer)).toBe(401)
  expect(await statusOf(`/v2/token?service=lading&scope=${scope}`, basic)).toBe(401)
  const refreshed = await ask(`${url}/v2/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `grant_type=refresh_token&service=lading&refresh_token=${issued.refresh_token}`,
  })
  expect(refreshed.status).toBe(401)

  for (const method of ['GET', 'PATCH', 'PUT']) {
    for (const authorization of [bearer, basic]) {
      expect((await ask(session, { method, headers: { authorization } })).status).toBe(401)
    }
  }
})
