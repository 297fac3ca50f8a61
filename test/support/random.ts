import { createHash, randomBytes } from 'node:crypto'

/** Bytes with the digest a client would name them by. */
export interface TestBlob {
  readonly bytes: Buffer
  readonly digest: string
  readonly size: number
}

/** `<algorithm>:<hex>` of the bytes, computed here and not by the code under test. */
export function digestOf(bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
}

export function aBlob(bytes: Uint8Array | string, algorithm: 'sha256' | 'sha512' = 'sha256'): TestBlob {
  const buffer = Buffer.from(bytes)
  return { bytes: buffer, digest: digestOf(buffer, algorithm), size: buffer.length }
}

/** Fresh incompressible content: no registry has seen it, so nothing can be mounted or skipped. */
export function aRandomBlob(sizeBytes = 1024, algorithm: 'sha256' | 'sha512' = 'sha256'): TestBlob {
  return aBlob(randomBytes(sizeBytes), algorithm)
}

/** A short lower-case word that is new in this process and, practically, anywhere. */
export function aRandomWord(): string {
  return `x${randomBytes(6).toString('hex')}`
}

/** A repository name nobody else uses. */
export function aRepositoryName(image = 'image'): string {
  return `${aRandomWord()}/${image}`
}
