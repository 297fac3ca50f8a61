/** Finds open access in a configuration, for the warnings at each start and for `lading doctor`. */
import { isIPv4 } from 'node:net'
import type { Config } from '../../../config/schema.ts'

export interface Exposure {
  readonly message: string
  readonly advice: string
}

export function listExposures(config: Config): readonly Exposure[] {
  const { http, auth, metrics } = config
  const exposures: Exposure[] = []
  const isRemote = !isLoopback(http.host)
  if (isRemote && !isEncrypted(config)) {
    exposures.push({
      message: `http.host is ${http.host} without TLS: passwords and tokens cross the network unencrypted`,
      advice:
        'set http.tls.cert and http.tls.key, or http.publicUrl (https) and http.trustedProxies if a proxy terminates TLS',
    })
  }
  if (isRemote && auth.anonymous === 'push') {
    exposures.push({
      message: `auth.anonymous is push on ${http.host}: everyone who can reach it may push to and delete from public repositories`,
      advice: 'set auth.anonymous to pull or none, unless you want this',
    })
  }
  if (metrics.port !== undefined && metrics.token === undefined && !isLoopback(metrics.host)) {
    exposures.push({
      message: `metrics.host is ${metrics.host} without a token: everyone who can reach it may read the metrics`,
      advice: 'set metrics.token, or set metrics.host to an address that only your monitoring can reach',
    })
  }
  return exposures
}

/** Whether this process, or a proxy that the operator declared, encrypts the connections. */
function isEncrypted({ http }: Config): boolean {
  if (http.tls.cert !== undefined) return true
  return http.publicUrl?.startsWith('https:') === true && http.trustedProxies.length > 0
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}
