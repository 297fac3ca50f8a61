import { IJsonError } from './i-json-error.ts'

const replacement = '\ufffd'

/** Decodes strictly: replaces nothing and keeps a byte order mark. Throws `IJsonError` at the first invalid byte. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    const offset = findInvalidByte(bytes)
    throw new IJsonError('these bytes are not UTF-8', { offset, path: [] }, { cause })
  }
}

/** The first offset at which a lenient decoder inserts a replacement character that is not in the bytes. */
function findInvalidByte(bytes: Uint8Array): number {
  const lenient = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  let offset = 0
  let start = 0
  for (;;) {
    const found = lenient.indexOf(replacement, start)
    if (found === -1) return bytes.length
    offset += Buffer.byteLength(lenient.slice(start, found))
    const isReal = bytes[offset] === 0xef && bytes[offset + 1] === 0xbf && bytes[offset + 2] === 0xbd
    if (!isReal) return offset
    offset += 3
    start = found + 1
  }
}
