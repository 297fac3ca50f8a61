/**
 * Finds another program on `localhost`: most clients try `::1` first, so a program that listens there receives the
 * requests for a registry on an IPv4 address. Some systems ship such a program on port 5000.
 */
import { connect, isIPv4 } from 'node:net'

const timeoutMs = 500

/** Whether another program listens on `[::1]:port`. False if a registry on this host would listen there itself. */
export async function findOtherListener(host: string, port: number): Promise<boolean> {
  const isOurs = !isIPv4(host) && host !== 'localhost'
  if (isOurs || port === 0) return false
  return accepts('::1', port)
}

/** Whether a program accepts connections there. */
export function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs })
    const end = (answer: boolean) => () => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', end(true)).once('timeout', end(false)).once('error', end(false))
  })
}
