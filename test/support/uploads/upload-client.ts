/** The steps of an upload, one by one, for tests that interrupt it. */
import { createHash } from 'node:crypto'

import type { Answer, OpenRequest } from '../http/client.ts'
import { ask, openRequest, openResponse } from '../http/client.ts'
import { uploadUrl } from '../content/manifests.ts'

/** Opens a session; throws unless the answer is 202. */
export async function startUpload(repositoryUrl: string): Promise<URL> {
  const answer = await ask(`${repositoryUrl}/blobs/uploads/`, { method: 'POST' })
  if (answer.status !== 202) throw new Error(`POST uploads answered ${answer.status}: ${answer.text()}`)
  return uploadUrl(repositoryUrl, answer)
}

/** Returns how many bytes the session holds, from `Range: 0-<last>` of a GET (end-13); throws unless the response is 204. */
export async function askOffset(session: URL): Promise<number> {
  const answer = await ask(session.href)
  if (answer.status !== 204) throw new Error(`GET upload answered ${answer.status}: ${answer.text()}`)
  return offsetOf(answer)
}

/** Returns the size from a `Range` header. `Range: 0-0` means zero bytes: no test here uploads a single byte. */
export function offsetOf(answer: Answer): number {
  const last = /^0-(\d+)$/.exec(answer.headers['range'] ?? '')?.[1]
  if (last === undefined) throw new Error(`no upload range in ${JSON.stringify(answer.headers)}`)
  return last === '0' ? 0 : Number(last) + 1
}

/** Begins a PATCH without `Content-Range`: sends all of `bytes` but does not end the body. Dispose it. */
export async function beginPatch(session: URL, bytes: Iterable<Uint8Array>): Promise<OpenRequest> {
  const request = openRequest(session.href, {
    method: 'PATCH',
    headers: { 'content-type': 'application/octet-stream' },
  })
  for (const chunk of bytes) {
    if (request.answered) break
    await request.write(chunk)
  }
  return request
}

/** Sends one PATCH of a known range; `bytes` may stop early, as when a connection is cut. */
export async function beginChunk(
  session: URL,
  range: { readonly start: number; readonly end: number },
  bytes: Iterable<Uint8Array>,
): Promise<OpenRequest> {
  const request = openRequest(session.href, {
    method: 'PATCH',
    headers: {
      'content-type': 'application/octet-stream',
      'content-range': `${range.start}-${range.end - 1}`,
      'content-length': range.end - range.start,
    },
  })
  for (const chunk of bytes) {
    if (request.answered) break
    await request.write(chunk)
  }
  return request
}

/** Sends the closing PUT without a body. */
export async function closeUpload(session: URL, digest: string): Promise<Answer> {
  const url = new URL(session)
  url.searchParams.set('digest', digest)
  return await ask(url.href, { method: 'PUT', timeoutMs: 120_000 })
}

/** Returns the digest of the bytes that a GET of the URL returns, without keeping them. */
export async function digestAt(url: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const bytes of await openResponse(url)) hash.update(bytes as Buffer)
  return `sha256:${hash.digest('hex')}`
}
