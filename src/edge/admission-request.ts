/** The parts of a request that admission reads, on both surfaces. */
import type { Origin } from '../identity/identity.ts'
import type { Admission as CrossOrigin } from '../identity/sessions/csrf.ts'

export interface AdmissionRequest {
  /** `/v2` accepts no sessions; the management API accepts no tokens of the token endpoint. */
  readonly surface: 'registry' | 'management'
  /** The method that the request is judged by: a GET that changes something counts as `POST`. */
  readonly method: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly origin: Origin & { readonly registryUrl: string }
  /** When a page of another origin may change something. */
  readonly crossOrigin: CrossOrigin
}

export function header({ headers }: Pick<AdmissionRequest, 'headers'>, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'object' ? value.join(', ') : value
}
