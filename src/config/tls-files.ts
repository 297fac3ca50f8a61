/** Reads and checks what `http.tls` names, at the start and again at each reload. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Config } from './schema.ts'

export interface TlsFiles {
  /** With its intermediates, PEM. */
  readonly cert: string
  /** PEM. */
  readonly key: string
}

/** The message begins with the key of the configuration and never holds what a file does. */
export class TlsFileError extends Error {
  override readonly name = 'TlsFileError'
}

/** `undefined` when TLS is not configured. Throws `TlsFileError` for files that are unreadable or no pair. */
export function readTlsFiles({ cert, key }: Config['http']['tls']): TlsFiles | undefined {
  if (cert === undefined || key === undefined) return undefined
  const files = { cert: readText('http.tls.cert', cert), key: readText('http.tls.key', key) }
  const certificate = parse('http.tls.cert', cert, () => new X509Certificate(files.cert))
  const privateKey = parse('http.tls.key', key, () => createPrivateKey(files.key))
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new TlsFileError(`http.tls.key: ${key} is not the key of the certificate in ${cert}`)
  }
  return files
}

function readText(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new TlsFileError(`${name}: cannot read the file (${(error as Error).message})`, { cause: error })
  }
}

function parse<T>(name: string, path: string, read: () => T): T {
  try {
    return read()
  } catch {
    // What the library says may quote the file.
    throw new TlsFileError(`${name}: ${path} holds nothing of the kind in PEM without a passphrase`)
  }
}
