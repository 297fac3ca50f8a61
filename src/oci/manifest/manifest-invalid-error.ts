import { formatJsonPath } from '../json-path.ts'
import type { JsonPath } from '../json-path.ts'
import { OciError } from '../oci-error.ts'

/** Where a fault sits: the JSON path when the text could be read, the byte offset too when it could not. */
export interface FaultPlace {
  readonly path: JsonPath
  readonly offset?: number
}

/** A manifest that this registry refuses. Clients print the message behind `manifest invalid:`. */
export class ManifestInvalidError extends OciError {
  override readonly name = 'ManifestInvalidError'
  readonly code = 'MANIFEST_INVALID'
  readonly detail: { readonly path: string; readonly offset?: number; readonly reason: string }
  constructor(reason: string, place: FaultPlace, options?: ErrorOptions) {
    const path = formatJsonPath(place.path)
    const { offset } = place
    super(offset === undefined ? `${path} ${reason}` : `${path}, byte ${offset}: ${reason}`, options)
    this.detail = offset === undefined ? { path, reason } : { path, offset, reason }
  }
}
