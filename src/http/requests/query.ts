/** Parses the query parameters of the registry's lists and uploads. */
import { quote } from '../../oci/quote.ts'
import { RequestRefusedError } from '../errors.ts'

const empty = new URLSearchParams()

/**
 * Parses a query as leniently as a URL, except that NUL becomes the replacement character, because databases refuse it
 * in text.
 */
export function parseQuery(text: string): URLSearchParams {
  if (text === '') return empty
  return new URLSearchParams(text.replaceAll('%00', '%EF%BF%BD'))
}

/** Parses `n`, a count, and cuts it to `max`; an empty value counts as absent. Throws code `PAGINATION_NUMBER_INVALID`. */
export function parsePageSize(query: URLSearchParams, sizes: { fallback: number; max: number }): number {
  const text = query.get('n') ?? ''
  if (text === '') return sizes.fallback
  if (/^\d+$/.test(text)) return Math.min(Number(text), sizes.max)
  throw new RequestRefusedError('PAGINATION_NUMBER_INVALID', {
    message: `n=${quote(text)} is invalid: write a number from 0 to ${sizes.max}`,
    detail: { n: text.slice(0, 100), max: sizes.max },
  })
}

/**
 * Parses the position at which the previous page ended; it is opaque to clients. Throws code
 * `PAGINATION_NUMBER_INVALID`.
 */
export function parseCursor(query: URLSearchParams): number | undefined {
  const text = query.get('cursor')
  if (text === null) return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new RequestRefusedError('PAGINATION_NUMBER_INVALID', {
    message: `cursor=${quote(text)} is invalid: follow the Link header unchanged, or start again without a cursor`,
    detail: { cursor: text.slice(0, 100) },
  })
}

/**
 * Returns every `artifactType`, empty ones included. Media types contain no spaces: a space is a `+` that was not
 * escaped.
 */
export function parseArtifactTypes(query: URLSearchParams): readonly string[] {
  return query.getAll('artifactType').map((value) => value.replaceAll(' ', '+'))
}
