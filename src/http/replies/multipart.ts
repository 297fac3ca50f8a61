/** Sends several ranges of a blob in one reply: `multipart/byteranges` (RFC 9110, 14.6), which partial image pulls need. */
import type { ByteRange, ByteSink, OpenBlob } from '../../registry/blobs.ts'
import { formatBlobRange } from '../headers/range.ts'
import type { HeaderList, Reply } from './reply.ts'

interface MultipartOptions {
  readonly ranges: readonly ByteRange[]
  /** Must not occur in the content, so it must have been unguessable when the blob was pushed. */
  readonly boundary: string
  readonly headers: HeaderList
}

/**
 * Builds the reply. Its exact length is known in advance: the part headers, the ranges and the closing line. Disposing the body
 * disposes the blob.
 */
export function multipartReply(blob: OpenBlob, { ranges, boundary, headers }: MultipartOptions): Reply {
  const parts = ranges.map((range, index) => ({
    range,
    head: Buffer.from(`${index === 0 ? '' : '\r\n'}${formatPartHead(boundary, range, blob.size)}`),
  }))
  const closing = Buffer.from(`\r\n--${boundary}--\r\n`)
  const length = parts.reduce((sum, { range, head }) => sum + head.length + range.end - range.start + 1, 0)
  return {
    status: 206,
    headers: ['Content-Type', `multipart/byteranges; boundary=${boundary}`, ...headers],
    length: length + closing.length,
    body: {
      async copyTo(sink, signal) {
        for (const { range, head } of parts) {
          await sink.write(head)
          await copyRange(blob, { range, sink, signal })
        }
        await sink.write(closing)
      },
      [Symbol.asyncDispose]: () => blob[Symbol.asyncDispose](),
    },
  }
}

function formatPartHead(boundary: string, range: ByteRange, size: number): string {
  const contentRange = formatBlobRange(range, size)
  return `--${boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: ${contentRange}\r\n\r\n`
}

async function copyRange(
  blob: OpenBlob,
  { range, sink, signal }: { range: ByteRange; sink: ByteSink; signal: AbortSignal },
): Promise<void> {
  if (blob.bytes === undefined) await blob.copyTo(sink, { range, signal })
  else await sink.write(blob.bytes.subarray(range.start, range.end + 1))
}
