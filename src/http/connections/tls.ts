/** The TLS listener: HTTP/1.1 only, with a readable answer for clients that connect without TLS. */
import { createServer } from 'node:https'
import type { ServerOptions as HttpOptions } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import { createSecureContext } from 'node:tls'
import type { Socket } from 'node:net'

/** The certificate with its chain, and its key, in PEM. */
export interface TlsFiles {
  readonly cert: string | Uint8Array
  readonly key: string | Uint8Array
}

const minVersion = 'TLSv1.2'
/** The type of the record that begins every TLS connection. */
const handshakeRecord = 0x16

/** Creates the server. Throws if the certificate or key is not readable, or if they do not belong together. */
export function createTlsServer(
  files: TlsFiles,
  options: HttpOptions & { readonly handshakeTimeout: number },
): TlsServer {
  return createServer({ ...options, ...checkFiles(files), minVersion, ALPNProtocols: ['http/1.1'] })
}

/**
 * Replaces the certificate for new connections; open connections keep theirs. Throws like `createTlsServer`, and then
 * changes nothing.
 */
export function replaceTlsFiles(server: TlsServer, files: TlsFiles): void {
  server.setSecureContext({ ...checkFiles(files), minVersion })
}

function checkFiles({ cert, key }: TlsFiles): { cert: string; key: string } {
  const files = { cert: Buffer.from(cert).toString(), key: Buffer.from(key).toString() }
  createSecureContext({ ...files, minVersion })
  return files
}

interface FirstByteHandlers {
  readonly onTls: (socket: Socket) => void
  readonly onPlain: (socket: Socket) => void
  readonly timeoutMs: number
}

/** Reads the first byte of a connection, puts it back, and calls the handler for TLS or for plain HTTP. */
export function sortByFirstByte(socket: Socket, { onTls, onPlain, timeoutMs }: FirstByteHandlers): void {
  const end = (): void => void socket.destroy()
  const timer = setTimeout(end, timeoutMs)
  const look = (): void => {
    const first = socket.read(1) as Uint8Array | null
    if (first === null) return
    clearTimeout(timer)
    socket.off('readable', look).off('end', end).off('error', end)
    socket.unshift(first)
    if (first[0] === handshakeRecord) onTls(socket)
    else onPlain(socket)
  }
  socket.once('close', () => clearTimeout(timer))
  socket.on('readable', look).on('end', end).on('error', end)
}
