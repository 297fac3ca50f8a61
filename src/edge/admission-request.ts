/** What admission reads of a request, on both surfaces. */
import type { Origin } from '../identity/identity.ts'
import type { Admission as CrossOrigin } from '../identity/sessions/csrf.ts'

export interface AdmissionRequest {
  /** `/v2` knows no sessions; the management API takes no token of the token endpoint. */
  readonly surface: 'registry' | 'management'
  /** `POST` also for a GET that changes something. */
  readonly method: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly origin: Origin & { readonly registryUrl: string }
  /** When the page that sent this may change something, although it is of another origin. */
  readonly crossOrigin: CrossOrigin
}

export function header({ headers }: Pick<AdmissionRequest, 'headers'>, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'object' ? value.join(', ') : value
}
