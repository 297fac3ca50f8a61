/** The listener with TLS: HTTP/1.1 only, and an answer that can be read for those who come without TLS. */
import { createServer } from 'node:https'
import type { ServerOptions as HttpOptions } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import { createSecureContext } from 'node:tls'
import type { Socket } from 'node:net'

/** In PEM, the certificate with its chain. */
export interface TlsFiles {
  readonly cert: string | Uint8Array
  readonly key: string | Uint8Array
}

const minVersion = 'TLSv1.2'
/** Of every record that begins a TLS connection. */
const handshakeRecord = 0x16

/** Throws when the certificate and the key are not readable or do not belong together. */
export function createTlsServer(
  files: TlsFiles,
  options: HttpOptions & { readonly handshakeTimeout: number },
): TlsServer {
  return createServer({ ...options, ...checkFiles(files), minVersion, ALPNProtocols: ['http/1.1'] })
}

/** For connections from now on; those that are open keep what they have. Throws and changes nothing as above. */
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

/** Looks at the first byte of a connection and puts it back. */
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
