/** One client and one large blob: upload by PUT, upload by one streamed PATCH, download. Rates are GB/s. */
import type { FreshContent } from '../content.ts'
import { FreshContentSource } from '../content.ts'
import type { Sample } from '../sample.ts'
import type { RawAnswer } from './connection.ts'
import { expectStatus, headerOf, RawConnection, requestHead } from './connection.ts'
import { startUpload } from './push.ts'

/** The chunk size of Go's HTTP client when docker and skopeo stream a layer. */
const chunkBytes = 32 * 1024

/** Kept, because hashing the common part of a large body takes longer than sending it. */
const sources = new Map<number, FreshContentSource>()

export function freshContent(sizeBytes: number): FreshContent {
  const source = sources.get(sizeBytes) ?? new FreshContentSource(sizeBytes)
  sources.set(sizeBytes, source)
  return source.next()
}

/** Measures from the first byte of the PUT to its 201. */
export async function measureMonolithicPut(repositoryUrl: string, sizeBytes: number): Promise<Sample> {
  using connection = await RawConnection.open(repositoryUrl)
  const content = freshContent(sizeBytes)
  const url = await startUpload(connection, repositoryUrl)
  const startedAt = performance.now()
  await sendClosingPut(connection, url, content)
  const sample = toTransfer(sizeBytes, performance.now() - startedAt)
  await removeBlob(connection, repositoryUrl, content.digest)
  return sample
}

/** Measures from the first byte of the PATCH to the 201 of the PUT that ends it: before that nothing is durable. */
export async function measureStreamedPatch(repositoryUrl: string, sizeBytes: number): Promise<Sample> {
  using connection = await RawConnection.open(repositoryUrl)
  const content = freshContent(sizeBytes)
  const frames = toChunks(content.parts)
  const url = await startUpload(connection, repositoryUrl)
  const startedAt = performance.now()
  const head = requestHead('PATCH', url, {
    'Content-Type': 'application/octet-stream',
    'Transfer-Encoding': 'chunked',
  })
  const patched = expectStatus(await connection.exchangeStream(head, frames), 202, 'PATCH of a large blob')
  const next = new URL(headerOf(patched, 'location'), repositoryUrl)
  await sendClosingPut(connection, next, { digest: content.digest, sizeBytes: 0, parts: [] })
  const sample = toTransfer(sizeBytes, performance.now() - startedAt)
  await removeBlob(connection, repositoryUrl, content.digest)
  return sample
}

export async function measureLargeGet(blobUrl: string, sizeBytes: number): Promise<Sample> {
  using connection = await RawConnection.open(blobUrl)
  const request = requestHead('GET', new URL(blobUrl), { Accept: '*/*' })
  const startedAt = performance.now()
  const answer = expectStatus(await connection.exchange([request]), 200, 'GET of a large blob')
  assertComplete(answer, sizeBytes)
  return toTransfer(sizeBytes, performance.now() - startedAt)
}

/** Uploads content without timing it. */
export async function putLargeBlob(repositoryUrl: string, content: FreshContent): Promise<void> {
  using connection = await RawConnection.open(repositoryUrl)
  await sendClosingPut(connection, await startUpload(connection, repositoryUrl), content)
}

async function sendClosingPut(connection: RawConnection, url: URL, content: FreshContent): Promise<void> {
  const closing = new URL(url)
  closing.searchParams.set('digest', content.digest)
  const head = requestHead('PUT', closing, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': content.sizeBytes,
  })
  expectStatus(await connection.exchangeStream(head, content.parts), 201, 'PUT of a large blob')
}

/** Deletes a blob, so that rounds do not fill the disk. Ignores a refusal, since a registry may not support deletes. */
async function removeBlob(connection: RawConnection, repositoryUrl: string, digest: string): Promise<void> {
  await connection.exchange([requestHead('DELETE', new URL(`${repositoryUrl}/blobs/${digest}`))])
}

/** Makes the chunks. Bodies repeat one block, so its frames are made once. */
function toChunks(parts: readonly Buffer[]): Buffer[] {
  const framed = new Map<number, Buffer>()
  const frames = parts.map((part, index) => {
    const isTail = index === parts.length - 1
    const known = isTail ? undefined : framed.get(part.length)
    const frame = known ?? frameOf(part)
    if (!isTail) framed.set(part.length, frame)
    return frame
  })
  return [...frames, Buffer.from('0\r\n\r\n')]
}

function frameOf(part: Buffer): Buffer {
  const pieces: Buffer[] = []
  for (let at = 0; at < part.length; at += chunkBytes) {
    const piece = part.subarray(at, at + chunkBytes)
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'))
  }
  return Buffer.concat(pieces)
}

function assertComplete(answer: RawAnswer, sizeBytes: number): void {
  if (answer.bodyBytes !== sizeBytes) {
    throw new Error(`a GET returned ${answer.bodyBytes} bytes of ${sizeBytes}`)
  }
}

function toTransfer(sizeBytes: number, elapsedMs: number): Sample {
  return { rate: sizeBytes / elapsedMs / 1e6, count: 1, p50Ms: elapsedMs, p99Ms: elapsedMs }
}
