export interface TarEntry {
  readonly path: string
  readonly bytes: Uint8Array
  readonly mode?: number
}

const blockBytes = 512

/** Makes a POSIX ustar archive of regular files, owned by root and dated 0; paths have at most 100 characters. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap((entry) => [headerOf(entry), entry.bytes, padding(entry.bytes.length)])
  return Buffer.concat([...parts, Buffer.alloc(2 * blockBytes)])
}

function headerOf({ path, bytes, mode = 0o755 }: TarEntry): Buffer {
  const header = Buffer.alloc(blockBytes)
  header.write(path, 0, 100)
  header.write(octal(mode, 7), 100)
  header.write(octal(0, 7), 108)
  header.write(octal(0, 7), 116)
  header.write(octal(bytes.length, 11), 124)
  header.write(octal(0, 11), 136)
  // The checksum is computed with its own field filled with spaces.
  header.write('        ', 148)
  header.write('0', 156)
  header.write('ustar\u000000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${octal(sum, 6)}\u0000 `, 148)
  return header
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

function padding(size: number): Buffer {
  return Buffer.alloc((blockBytes - (size % blockBytes)) % blockBytes)
}
