/** Reads and checks the files that `http.tls` names, at the start and at each reload. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Config } from './schema.ts'

export interface TlsFiles {
  /** The certificate and its intermediates, PEM. */
  readonly cert: string
  /** The private key, PEM. */
  readonly key: string
}

/** A TLS file is unreadable or invalid. The message begins with the configuration key and never quotes the file. */
export class TlsFileError extends Error {
  override readonly name = 'TlsFileError'
}

/** Returns `undefined` if TLS is not configured. Throws `TlsFileError` if a file is unreadable or the files do not match. */
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
    // The library's error is dropped because it may quote the file.
    throw new TlsFileError(`${name}: cannot parse ${path}; it must be PEM without a passphrase`)
  }
}
