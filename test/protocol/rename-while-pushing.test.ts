/**
 * An owner is renamed while clients push to it under both names: there are no server errors, and nothing acknowledged is lost.
 */
import { expect, test } from 'vitest'
import { renameOwner } from '../../src/metadata/owners/owner-rename.ts'
import { ask } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { basic, openIdentityServer } from '../support/parts/identity-server.ts'
import type { IdentityServer } from '../support/parts/identity-server.ts'
import { anImageManifest, uploadUrl } from '../support/content/manifests.ts'
import type { TestManifest } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'

const headers = { authorization: basic('root') }
const names = ['acme', 'apex', 'atlas'] as const

interface Pushed {
  readonly image: string
  readonly manifest: TestManifest
}

/** Pushes one image, step by step; a refusal ends the push. Returns whether all steps were acknowledged. */
async function push(base: string, { manifest }: Pushed, answers: Answer[]): Promise<boolean> {
  const send = async (url: string, options: Parameters<typeof ask>[1]): Promise<Answer> => {
    const answer = await ask(url, { ...options, headers: { ...headers, ...options?.headers } })
    answers.push(answer)
    return answer
  }
  for (const blob of manifest.blobs) {
    const start = await send(`${base}/blobs/uploads/`, { method: 'POST' })
    if (start.status !== 202) return false
    const url = uploadUrl(base, start)
    const patched = await send(url.href, { method: 'PATCH', body: blob.bytes })
    if (patched.status !== 202) return false
    url.searchParams.set('digest', blob.digest)
    if ((await send(url.href, { method: 'PUT' })).status !== 201) return false
  }
  const put = await send(`${base}/manifests/latest`, {
    method: 'PUT',
    body: manifest.bytes,
    headers: { 'content-type': manifest.mediaType },
  })
  return put.status === 201
}

/** Pushes repeatedly under both names until told to stop. */
async function pushOn(
  { url }: IdentityServer,
  run: { readonly worker: number; readonly isDone: () => boolean; readonly answers: Answer[] },
): Promise<Pushed[]> {
  const kept: Pushed[] = []
  for (let round = 0; !run.isDone(); round += 1) {
    for (const name of names) {
      const pushed = {
        image: `app-${run.worker}-${round}-${name}`,
        manifest: anImageManifest({ layers: [aRandomBlob()] }),
      }
      if (await push(`${url}/v2/${name}/${pushed.image}`, pushed, run.answers)) kept.push(pushed)
    }
  }
  return kept
}

test('loses nothing and answers no 5xx while an owner is renamed', async () => {
  await using server = await openIdentityServer()
  await server.addUser('root', { isAdmin: true })
  const { metadata } = server.registry
  const answers: Answer[] = []
  let done = false
  const seed = { image: 'seed', manifest: anImageManifest({ layers: [aRandomBlob()] }) }
  expect(await push(`${server.url}/v2/acme/seed`, seed, answers)).toBe(true)
  const workers = [1, 2, 3, 4].map((worker) => pushOn(server, { worker, isDone: () => done, answers }))
  const renames: Promise<unknown>[] = []
  for (const [index, newName] of ['beta', 'gamma', 'delta', 'acme'].entries()) {
    const name = ['acme', 'beta', 'gamma', 'delta'][index] ?? ''
    const seen = answers.length
    while (answers.length < seen + 60) await new Promise((resolve) => setImmediate(resolve))
    renames.push(metadata.transact((tx) => renameOwner(tx, { name, newName, now: 1 })))
    await renames.at(-1)
  }
  done = true
  const kept = (await Promise.all(workers)).flat()
  expect(answers.filter(({ status }) => status >= 500)).toEqual([])
  const refused = answers.filter(({ status }) => status >= 400)
  expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([403]))
  for (const { image, manifest } of [seed, ...kept]) {
    const owner = names.find((name) => image.endsWith(`-${name}`)) ?? 'acme'
    const found = await ask(`${server.url}/v2/${owner}/${image}/manifests/latest`, { headers })
    expect([image, found.status, found.headers['docker-content-digest']]).toEqual([
      image,
      200,
      manifest.digest,
    ])
    for (const { digest } of manifest.blobs) {
      const blob = await ask(`${server.url}/v2/${owner}/${image}/blobs/${digest}`, { headers })
      expect([digest, blob.status]).toEqual([digest, 200])
    }
  }
  expect(kept.some(({ image }) => image.endsWith('-acme'))).toBe(true)
})
