/** The steps of an upload, each one request, for tests that run them one by one or in the wrong order. */
import type { Answer, Ask } from '../http/client.ts'
import { ask } from '../http/client.ts'
import { uploadUrl } from '../content/manifests.ts'

/** Sends POST and returns the session's absolute URL. Throws unless the response is 202. */
export async function openSession(repositoryUrl: string, query = ''): Promise<string> {
  const answer = await ask(`${repositoryUrl}/blobs/uploads/${query}`, { method: 'POST' })
  if (answer.status !== 202) throw new Error(`POST answered ${answer.status}: ${answer.text()}`)
  return uploadUrl(repositoryUrl, answer).href
}

/** Sends a PATCH with a `Content-Range` that starts at `start`. */
export async function patchChunk(session: string, bytes: Uint8Array, start: number): Promise<Answer> {
  const headers = { 'content-range': `${start}-${start + bytes.length - 1}` }
  return await ask(session, { method: 'PATCH', body: bytes, headers })
}

/** Sends a PATCH as Docker does: chunked transfer coding, no length, no range. */
export async function patchStream(session: string, pieces: Iterable<Uint8Array>): Promise<Answer> {
  return await ask(session, { method: 'PATCH', body: iterate(pieces) })
}

export async function* iterate(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces
}

/** Sends the closing PUT. */
export async function closeSession(session: string, digest: string, options: Ask = {}): Promise<Answer> {
  return await ask(`${session}?digest=${digest}`, { ...options, method: 'PUT' })
}

/** Returns the last path element of a session's URL. */
export function sessionId(session: string): string {
  return new URL(session).pathname.split('/').at(-1) ?? ''
}
