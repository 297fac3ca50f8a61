/** The ways in which a client may push a blob. Each returns the last response and throws when an earlier step is refused. */
import type http from 'node:http'

import type { Answer } from '../http/client.ts'
import { ask } from '../http/client.ts'
import { uploadUrl } from '../content/manifests.ts'
import type { TestBlob } from '../content/random.ts'

export interface BlobTarget {
  /** `http://host/v2/<repository>` */
  readonly repositoryUrl: string
  readonly agent: http.Agent
}

export type BlobPush = (target: BlobTarget, blob: TestBlob) => Promise<Answer>

/** The registry sent an unexpected response. A lost connection is a different error. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

export function expectStatus(answer: Answer, status: number): void {
  if (answer.status === status) return
  throw new RefusedError(`answered ${answer.status} instead of ${status}: ${answer.text().slice(0, 1000)}`)
}

/** end-4b */
export const pushAtOnce: BlobPush = async ({ repositoryUrl, agent }, { digest, bytes }) =>
  await ask(`${repositoryUrl}/blobs/uploads/?digest=${digest}`, { method: 'POST', body: bytes, agent })

/** end-4a, end-6 */
export const pushByPut: BlobPush = async (target, { digest, bytes }) =>
  await close(target, await open(target), { digest, bytes })

/** end-4a, end-5 without Content-Range, end-6 */
export const pushByPatch: BlobPush = async (target, { digest, bytes }) => {
  const session = await open(target)
  expectStatus(await ask(session, { method: 'PATCH', body: bytes, agent: target.agent }), 202)
  return await close(target, session, { digest })
}

/** end-4a, end-5 in three ranges, end-6 */
export const pushByChunks: BlobPush = async (target, { digest, bytes, size }) => {
  const session = await open(target)
  const step = Math.ceil(size / 3)
  for (let start = 0; start < size; start += step) {
    const body = bytes.subarray(start, start + step)
    const headers = { 'content-range': `${start}-${start + body.length - 1}` }
    expectStatus(await ask(session, { method: 'PATCH', body, headers, agent: target.agent }), 202)
  }
  return await close(target, session, { digest })
}

export const blobPushes: readonly BlobPush[] = [pushAtOnce, pushByPut, pushByPatch, pushByChunks]

async function open({ repositoryUrl, agent }: BlobTarget): Promise<string> {
  const answer = await ask(`${repositoryUrl}/blobs/uploads/`, { method: 'POST', agent })
  expectStatus(answer, 202)
  return uploadUrl(repositoryUrl, answer).href
}

async function close(
  { agent }: BlobTarget,
  session: string,
  { digest, bytes }: { readonly digest: string; readonly bytes?: Uint8Array },
): Promise<Answer> {
  const url = new URL(session)
  url.searchParams.set('digest', digest)
  return await ask(url.href, { method: 'PUT', agent, ...(bytes === undefined ? {} : { body: bytes }) })
}
