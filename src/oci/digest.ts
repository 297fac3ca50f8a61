/**
 * @module
 * Digests of the image-spec: `<algorithm>:<encoded>`. A `Digest` is always well formed, but this registry may not be able to
 * compute its algorithm: descriptors may name algorithms that we only pass on.
 * A new algorithm is one row in `algorithms` (and a hasher that can compute it).
 */
import { hash } from 'node:crypto'
import { OciError } from './oci-error.ts'
import { quote } from './quote.ts'

/** A well-formed digest. Digests of registered algorithms have exactly their form; others only match the grammar. */
export type Digest = string & { readonly __brand: 'Digest' }

/** The algorithms that this registry can compute. */
export type DigestAlgorithm = 'sha256' | 'sha512'

export class DigestInvalidError extends OciError {
  override readonly name = 'DigestInvalidError'
  readonly code = 'DIGEST_INVALID'
  readonly detail: { readonly digest: string; readonly reason: string }
  constructor(text: string, reason: string, options?: ErrorOptions) {
    super(`digest ${quote(text)} is invalid: ${reason}`, options)
    this.detail = { digest: text.slice(0, maxDigestCharacters).toWellFormed(), reason }
  }
}

interface AlgorithmForm {
  readonly hexDigits: number
  readonly computed: boolean
}

/** The algorithms that the image-spec registers. */
const algorithms: ReadonlyMap<string, AlgorithmForm> = new Map([
  ['sha256', { hexDigits: 64, computed: true }],
  ['sha512', { hexDigits: 128, computed: true }],
  ['blake3', { hexDigits: 64, computed: false }],
])

const computedAlgorithms = [...algorithms].filter(([, form]) => form.computed).map(([name]) => name)

// Digests are keys in indexes, whose entries are bounded; the longest registered one has 135 characters.
const maxDigestCharacters = 255
const algorithmPattern = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*$/
const encodedPattern = /^[a-zA-Z0-9=_-]+$/
const lowerHexPattern = /^[0-9a-f]+$/
const example = 'write, for example, sha256: and 64 lower-case hexadecimal digits'

/** Checks the grammar (image-spec, descriptor, digests). Throws `DigestInvalidError`. */
export function parseDigest(text: string): Digest {
  const reason = findFault(text)
  if (reason !== undefined) throw new DigestInvalidError(text, reason)
  return text as Digest
}

/** Like `parseDigest`, but also refuses algorithms that this registry cannot compute. Throws `DigestInvalidError`. */
export function parseSupportedDigest(text: string): Digest {
  const digest = parseDigest(text)
  if (!isSupportedDigest(digest)) throw new DigestInvalidError(text, unsupportedReason(prefixOf(digest)))
  return digest
}

/** For `?digest-algorithm=` (distribution-spec end-4c). Throws `DigestInvalidError`. */
export function parseDigestAlgorithm(text: string): DigestAlgorithm {
  if (!isComputed(text)) throw new DigestInvalidError(text, unsupportedReason(text))
  return text
}

/** The algorithm of a digest that this registry can compute; throws `DigestInvalidError` for any other. */
export function algorithmOf(digest: Digest): DigestAlgorithm {
  const algorithm = prefixOf(digest)
  if (!isComputed(algorithm)) throw new DigestInvalidError(digest, unsupportedReason(algorithm))
  return algorithm
}

export function isSupportedDigest(digest: Digest): boolean {
  return isComputed(prefixOf(digest))
}

/** The part after the colon. */
export function encodedOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1)
}

/** Throws `DigestInvalidError` if `encoded` is not the algorithm's lower-case hexadecimal form. */
export function formatDigest(algorithm: DigestAlgorithm, encoded: string): Digest {
  return parseDigest(`${algorithm}:${encoded}`)
}

/** The digest of bytes in memory. Request bodies are hashed while they stream instead. */
export function digestBytes(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${hash(algorithm, bytes)}` as Digest
}

function findFault(text: string): string | undefined {
  if (text === '') return `it is empty; ${example}`
  if (text.length > maxDigestCharacters)
    return `it is longer than ${maxDigestCharacters} characters; ${example}`
  const colon = text.indexOf(':')
  if (colon === -1) return `it has no colon; ${example}`
  const algorithm = text.slice(0, colon)
  const encoded = text.slice(colon + 1)
  if (!algorithmPattern.test(algorithm))
    return `${quote(algorithm)} is not a valid algorithm name; ${example}`
  const form = algorithms.get(algorithm)
  if (form !== undefined) return findHexFault(algorithm, encoded, form.hexDigits)
  if (encodedPattern.test(encoded)) return undefined
  return 'the part after the colon must be one or more letters, digits, "=", "_" or "-"'
}

function findHexFault(algorithm: string, encoded: string, hexDigits: number): string | undefined {
  if (encoded.length !== hexDigits) {
    return `${algorithm} needs ${hexDigits} hexadecimal digits after the colon, this has ${encoded.length}`
  }
  if (lowerHexPattern.test(encoded)) return undefined
  return `${algorithm} needs lower-case hexadecimal digits (0-9, a-f)`
}

function isComputed(algorithm: string): algorithm is DigestAlgorithm {
  return algorithms.get(algorithm)?.computed ?? false
}

function prefixOf(digest: Digest): string {
  return digest.slice(0, digest.indexOf(':'))
}

function unsupportedReason(algorithm: string): string {
  return `this registry cannot compute ${quote(algorithm)}; use ${computedAlgorithms.join(' or ')}`
}
