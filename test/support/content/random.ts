import { createHash, randomBytes } from 'node:crypto'

/** Bytes and the digest by which a client would name them. */
export interface TestBlob {
  readonly bytes: Buffer
  readonly digest: string
  readonly size: number
}

/** Returns `<algorithm>:<hex>` of the bytes, computed here and not by the code under test. */
export function digestOf(bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
}

export function aBlob(bytes: Uint8Array | string, algorithm: 'sha256' | 'sha512' = 'sha256'): TestBlob {
  const buffer = Buffer.from(bytes)
  return { bytes: buffer, digest: digestOf(buffer, algorithm), size: buffer.length }
}

/** Makes new incompressible content. No registry has seen it, so nothing can be mounted or skipped. */
export function aRandomBlob(sizeBytes = 1024, algorithm: 'sha256' | 'sha512' = 'sha256'): TestBlob {
  return aBlob(randomBytes(sizeBytes), algorithm)
}

/** Returns a short lower-case word that is unique in this process and, in practice, everywhere. */
export function aRandomWord(): string {
  return `x${randomBytes(6).toString('hex')}`
}

/** Returns a repository name that nothing else uses. */
export function aRepositoryName(image = 'image'): string {
  return `${aRandomWord()}/${image}`
}
