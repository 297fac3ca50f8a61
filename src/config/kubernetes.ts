/**
 * The variables that Kubernetes injects for a Service named `lading` ("Docker links" in its documentation). They start with
 * `LADING_` too, but do not configure Lading.
 */
const names = /^LADING_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/

/**
 * Whether Kubernetes injected the variable. `LADING_PORT` comes from Kubernetes only if its value is an address: a plain number
 * is a mistake for `LADING_HTTP_PORT`.
 */
export function isFromKubernetes(name: string, value: string): boolean {
  return name === 'LADING_PORT' ? /^(tcp|udp|sctp):\/\//.test(value) : names.test(name)
}
