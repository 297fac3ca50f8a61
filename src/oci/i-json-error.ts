import { formatJsonPath } from './json-path.ts'
import type { JsonPath } from './json-path.ts'

/** A text is not valid I-JSON: why, at which byte, and inside which value. */
export class IJsonError extends Error {
  override readonly name = 'IJsonError'
  readonly reason: string
  /** Bytes before the fault. */
  readonly offset: number
  readonly path: JsonPath
  constructor(reason: string, at: { offset: number; path: JsonPath }, options?: ErrorOptions) {
    super(`${reason} (byte ${at.offset}, in ${formatJsonPath(at.path)})`, options)
    this.reason = reason
    this.offset = at.offset
    this.path = at.path
  }
}
