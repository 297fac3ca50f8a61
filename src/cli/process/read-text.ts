/** Reads a short text from a stream. */
import type { Readable } from 'node:stream'
import { CliError } from '../frame/command.ts'

/** Far more than any password. Larger input is probably a file that was piped in by mistake. */
const maxBytes = 64 * 1024

export async function readText(input: Readable): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of input) {
    const buffer = Buffer.from(part as Uint8Array | string)
    bytes += buffer.length
    if (bytes > maxBytes)
      throw new CliError(`standard input is longer than ${maxBytes} bytes; write only the password to it`)
    parts.push(buffer)
  }
  return Buffer.concat(parts).toString()
}
