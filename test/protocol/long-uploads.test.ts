/** Uploads that outlast their first token. */
import { describe, expect, test } from 'vitest'
import { expectError, expectStatus } from '../support/http/answers.ts'
import { ask, openRequest } from '../support/http/client.ts'
import { openIdentityServer } from '../support/parts/identity-server.ts'
import { uploadUrl } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'

const tokenLifetimeMs = 60_000
const scope = 'repository:alice/app:pull,push'

describe('an upload of POST, PATCH and PUT that takes longer than the lifetime of its token', () => {
  test('end-5, end-6: completes the PATCH, and needs a new token for the PUT', async () => {
    await using server = await openIdentityServer({ tokenLifetimeMs })
    await server.addUser('alice')
    const blob = aRandomBlob(200_000)
    const authorization = await server.bearer([scope], 'alice')
    const repository = `${server.url}/v2/alice/app`
    const begun = await ask(`${repository}/blobs/uploads/`, { method: 'POST', headers: { authorization } })
    expectStatus(begun, 202)

    await using patch = openRequest(uploadUrl(repository, begun).href, {
      method: 'PATCH',
      headers: { authorization, 'transfer-encoding': 'chunked' },
    })
    await patch.write(blob.bytes.subarray(0, 100_000))
    // The server has authenticated the upload: it accepts another request with the same token.
    expectStatus(await ask(`${server.url}/v2/`, { headers: { authorization } }), 200)
    server.registry.clock.advance(tokenLifetimeMs + 1_000)
    const patched = await patch.end(blob.bytes.subarray(100_000))

    expectStatus(patched, 202)
    expect(patched.headers['range']).toBe('0-199999')
    const location = uploadUrl(repository, patched)
    location.searchParams.set('digest', blob.digest)
    const late = await ask(location.href, { method: 'PUT', headers: { authorization } })
    expectError(late, { status: 401, code: 'UNAUTHORIZED' })
    expect(late.headers['www-authenticate']).toContain(`scope="${scope}",error="invalid_token"`)
    const renewed = { authorization: await server.bearer([scope], 'alice') }
    expectStatus(await ask(location.href, { method: 'PUT', headers: renewed }), 201)
    const pulled = await ask(`${repository}/blobs/${blob.digest}`, { headers: renewed })
    expect(pulled.body.equals(blob.bytes)).toBe(true)
  })
})
