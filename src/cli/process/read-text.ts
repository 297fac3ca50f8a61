/** Reads a stream that should hold one short text. */
import type { Readable } from 'node:stream'
import { CliError } from '../frame/command.ts'

/** Far more than any password; a file that was piped in by mistake ends here. */
const maxBytes = 64 * 1024

export async function readText(input: Readable): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of input) {
    const buffer = Buffer.from(part as Uint8Array | string)
    bytes += buffer.length
    if (bytes > maxBytes) throw new CliError(`standard input holds more than ${maxBytes} bytes`)
    parts.push(buffer)
  }
  return Buffer.concat(parts).toString()
}
