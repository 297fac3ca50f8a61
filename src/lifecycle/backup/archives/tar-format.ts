/**
 * Reads and writes POSIX tar headers (IEEE Std 1003.1, pax): regular files, with an extended header for names and sizes that do
 * not fit into the ustar fields. Reading skips from header to header without reading the contents, which stream-based libraries
 * cannot do.
 */
import type { FileHandle } from 'node:fs/promises'
import { BackupRefused } from '../errors.ts'

export const blockBytes = 512
const nameBytes = 100
const sizeDigits = 11
const maxUstarSize = 8 ** sizeDigits - 1
// The limit for an extended header; longer than any name in a backup.
const maxRecordsBytes = 64 * 1024

const sizeAt = 124
const checksumAt = 148
const typeAt = 156
const magicAt = 257
const prefixAt = 345

export interface TarFile {
  readonly name: string
  readonly size: number
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number
}

/** Returns all headers that precede the bytes of the file. */
export function formatTarHeader(file: TarFile): Buffer {
  const records: string[] = []
  if (Buffer.byteLength(file.name) > nameBytes) records.push(formatRecord('path', file.name))
  if (file.size > maxUstarSize) records.push(formatRecord('size', String(file.size)))
  const header = formatBlock(file, '0')
  if (records.length === 0) return header
  const body = Buffer.from(records.join(''))
  const extended = formatBlock({ ...file, name: 'pax-header', size: body.byteLength }, 'x')
  return Buffer.concat([extended, body, Buffer.alloc(paddingOf(body.byteLength)), header])
}

/** Returns how many zero bytes follow the bytes of a file. */
export function paddingOf(size: number): number {
  return (blockBytes - (size % blockBytes)) % blockBytes
}

export const tarEnd: Uint8Array = Buffer.alloc(2 * blockBytes)

function formatBlock({ name, size, modifiedAt }: TarFile, type: '0' | 'x'): Buffer {
  const block = Buffer.alloc(blockBytes)
  block.write(name, 0, nameBytes)
  writeOctal(block, 100, { value: 0o600, digits: 7 })
  writeOctal(block, 108, { value: 0, digits: 7 })
  writeOctal(block, 116, { value: 0, digits: 7 })
  writeOctal(block, sizeAt, { value: Math.min(size, maxUstarSize), digits: sizeDigits })
  writeOctal(block, 136, { value: Math.floor(modifiedAt / 1000), digits: 11 })
  block.write(type, typeAt)
  block.write('ustar\u000000', magicAt)
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, checksumAt)
  return block
}

function writeOctal(block: Buffer, at: number, { value, digits }: { value: number; digits: number }): void {
  block.write(value.toString(8).padStart(digits, '0'), at)
}

/** The checksum field itself counts as blanks. */
function checksumOf(block: Uint8Array): number {
  let sum = 8 * 0x20
  for (const [index, byte] of block.entries()) {
    if (index < checksumAt || index >= checksumAt + 8) sum += byte
  }
  return sum
}

/** The length of a record includes its own digits. */
function formatRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  const length = Buffer.byteLength(rest)
  const digits = String(length + String(length).length).length
  return `${length + digits}${rest}`
}

export interface TarEntry {
  readonly name: string
  readonly size: number
  /** The offset of the first byte. */
  readonly start: number
}

/** Yields the regular files of an archive in order. Throws `BackupRefused` if it is damaged or ends too early. */
export async function* readTar(handle: FileHandle, path: string): AsyncGenerator<TarEntry> {
  const { size: total } = await handle.stat()
  let records = new Map<string, string>()
  for (let position = 0; ;) {
    const block = await readBlock(handle, { position, size: blockBytes, path })
    if (block.every((byte) => byte === 0)) return
    checkBlock(block, path)
    const type = String.fromCharCode(block[typeAt] ?? 0)
    const start = position + blockBytes
    if (type === 'x') {
      const size = readSize(block, { path })
      if (size > maxRecordsBytes) throw damaged(path, 'an extended header is too long')
      records = parseRecords(await readBlock(handle, { position: start, size, path }))
      position = start + size + paddingOf(size)
      continue
    }
    const size = readSize(block, { recorded: records.get('size'), path })
    position = start + size + paddingOf(size)
    if (position > total) throw damaged(path, 'it ends too early')
    if (type === '0' || type === '\0') {
      const name = records.get('path') ?? readName(block)
      // tar writes this prefix when it packs the current folder.
      yield { name: name.replace(/^\.\//, ''), size, start }
    }
    records = new Map()
  }
}

async function readBlock(
  handle: FileHandle,
  { position, size, path }: { position: number; size: number; path: string },
): Promise<Buffer> {
  const block = Buffer.alloc(size)
  const { bytesRead } = await handle.read(block, 0, size, position)
  if (bytesRead < size) throw damaged(path, 'it ends too early')
  return block
}

function checkBlock(block: Buffer, path: string): void {
  const isUstar = block.toString('latin1', magicAt, magicAt + 5) === 'ustar'
  if (!isUstar || readOctal(block, checksumAt, 8) !== checksumOf(block)) {
    throw damaged(path, 'a header is not a tar header')
  }
}

function readName(block: Buffer): string {
  const [prefix, name] = [readText(block, prefixAt, 155), readText(block, 0, nameBytes)]
  return prefix === '' ? name : `${prefix}/${name}`
}

function readText(block: Buffer, at: number, bytes: number): string {
  const field = block.subarray(at, at + bytes)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end === -1 ? bytes : end)
}

function readOctal(block: Buffer, at: number, bytes: number): number {
  return Number.parseInt(readText(block, at, bytes).trim() || '0', 8)
}

/** Rejects a negative size, which would lead back to an earlier header in an endless loop. */
function readSize(
  block: Buffer,
  { recorded, path }: { recorded?: string | undefined; path: string },
): number {
  const size = Number(recorded ?? readOctal(block, sizeAt, sizeDigits + 1))
  if (Number.isSafeInteger(size) && size >= 0) return size
  throw damaged(path, 'a size is not valid in tar')
}

function parseRecords(body: Buffer): Map<string, string> {
  const records = new Map<string, string>()
  for (let at = 0; at < body.byteLength;) {
    const length = Number.parseInt(body.toString('utf8', at, at + 10), 10)
    if (!(length > 0)) break
    const [key = '', ...value] = body.toString('utf8', body.indexOf(' ', at) + 1, at + length - 1).split('=')
    records.set(key, value.join('='))
    at += length
  }
  return records
}

function damaged(path: string, how: string): BackupRefused {
  return new BackupRefused(`${path} is damaged or not a backup: ${how}; use another backup`)
}
