/**
 * Reads one field of a JSON object, or throws `ManifestInvalidError` with its path. Optional fields may be `null`: some encoders
 * write that for unset fields, and every reader treats both alike.
 */
import type { JsonPath } from '../json-path.ts'
import { quote } from '../quote.ts'
import { ManifestInvalidError } from './manifest-invalid-error.ts'

/** An object of `readIJson` and where it was found. */
export interface Located {
  readonly object: Readonly<Record<string, unknown>>
  readonly path: JsonPath
}

// Media types and platforms are stored in indexed columns, whose entries are bounded.
const maxShortText = 255
const printableAscii = /^[\x20-\x7e]*$/
const controlCharacter = /\p{Cc}/u

export function locateObject(value: unknown, path: JsonPath): Located {
  if (!isObject(value)) {
    throw new ManifestInvalidError(`must be a JSON object, not ${describe(value)}`, { path })
  }
  return { object: value, path }
}

export function has({ object }: Located, key: string): boolean {
  return key in object
}

/** Also returns `undefined` for `null`. */
export function findField({ object }: Located, key: string): unknown {
  return object[key] ?? undefined
}

export function getField(at: Located, key: string): unknown {
  const value = at.object[key]
  if (value === undefined) fail(at, key, 'is missing, but the image-spec requires it; add it')
  return value
}

export function findString(at: Located, key: string): string | undefined {
  const value = findField(at, key)
  if (value === undefined || typeof value === 'string') return value
  return fail(at, key, `must be a string, not ${describe(value)}`)
}

/** A string of at most 255 characters without control characters; it may be empty. */
export function findShortText(at: Located, key: string): string | undefined {
  const value = findString(at, key)
  if (value === undefined) return undefined
  if (value.length > maxShortText) fail(at, key, `is longer than ${maxShortText} characters; shorten it`)
  if (controlCharacter.test(value)) fail(at, key, `is ${quote(value)}; remove the control characters`)
  return value
}

/** Like `findShortText`, but printable ASCII only: media types are sent in headers. */
export function findMediaType(at: Located, key: string): string | undefined {
  const value = findShortText(at, key)
  if (value === undefined || printableAscii.test(value)) return value
  return fail(at, key, `is ${quote(value)}, which is not a media type; write <type>/<subtype> (RFC 6838)`)
}

export function findStrings(at: Located, key: string): readonly string[] | undefined {
  const value = findField(at, key)
  if (value === undefined) return undefined
  if (!Array.isArray(value)) return fail(at, key, `must be an array of strings, not ${describe(value)}`)
  const strings: readonly unknown[] = value
  return strings.map((item, position) => {
    if (typeof item === 'string') return item
    return fail(at, key, `must hold strings only, number ${position} is ${describe(item)}`)
  })
}

export function findAnnotations(at: Located): Readonly<Record<string, string>> | undefined {
  const value = findField(at, 'annotations')
  if (value === undefined) return undefined
  const annotations = locateObject(value, [...at.path, 'annotations'])
  for (const [name, text] of Object.entries(annotations.object)) {
    if (typeof text !== 'string') fail(annotations, name, `must be a string, not ${describe(text)}; quote it`)
  }
  return annotations.object as Readonly<Record<string, string>>
}

/** A required array; `null` counts as empty. */
export function getArray(at: Located, key: string): readonly unknown[] {
  const value = getField(at, key)
  if (value === null) return []
  if (Array.isArray(value)) return value
  return fail(at, key, `must be an array of descriptors, not ${describe(value)}`)
}

export function fail(at: Located, key: string, reason: string): never {
  throw new ManifestInvalidError(reason, { path: [...at.path, key] })
}

/** Describes a value for a message. */
export function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  if (isObject(value)) return 'an object'
  return typeof value === 'string' ? quote(value) : String(value)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
