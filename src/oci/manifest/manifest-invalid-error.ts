import { formatJsonPath } from '../json-path.ts'
import type { JsonPath } from '../json-path.ts'
import { OciError } from '../oci-error.ts'

/** Where the fault is: the JSON path, and the byte offset if the text could not be parsed. */
export interface FaultPlace {
  readonly path: JsonPath
  readonly offset?: number
}

/** This registry refuses the manifest. Clients print the message after `manifest invalid:`. */
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
