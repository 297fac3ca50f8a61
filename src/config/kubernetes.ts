/**
 * Variables that Kubernetes injects for a Service named `lading` (the "Docker links" of its documentation). They start with
 * `LADING_` too and say nothing about the configuration.
 */
const names = /^LADING_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/

/** `LADING_PORT` is theirs only with an address: with a plain number somebody means `LADING_HTTP_PORT`. */
export function isFromKubernetes(name: string, value: string): boolean {
  return name === 'LADING_PORT' ? /^(tcp|udp|sctp):\/\//.test(value) : names.test(name)
}
