/** Query parameters of the registry's lists and uploads. */
import { quote } from '../../oci/quote.ts'
import { RequestRefusedError } from '../errors.ts'

const empty = new URLSearchParams()

/** Lenient as URLs are, but for NUL, which no database takes as text: it becomes the replacement character. */
export function parseQuery(text: string): URLSearchParams {
  if (text === '') return empty
  return new URLSearchParams(text.replaceAll('%00', '%EF%BF%BD'))
}

/** `n`: a count, cut to `max`. Throws code `PAGINATION_NUMBER_INVALID` for what is no count; empty is absent. */
export function parsePageSize(query: URLSearchParams, sizes: { fallback: number; max: number }): number {
  const text = query.get('n') ?? ''
  if (text === '') return sizes.fallback
  if (/^\d+$/.test(text)) return Math.min(Number(text), sizes.max)
  throw new RequestRefusedError('PAGINATION_NUMBER_INVALID', {
    message: `n=${quote(text)} is invalid: write a number from 0 to ${sizes.max}`,
    detail: { n: text.slice(0, 100), max: sizes.max },
  })
}

/** Where the page before ended; opaque to clients. Throws code `PAGINATION_NUMBER_INVALID`. */
export function parseCursor(query: URLSearchParams): number | undefined {
  const text = query.get('cursor')
  if (text === null) return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new RequestRefusedError('PAGINATION_NUMBER_INVALID', {
    message: `cursor=${quote(text)} is invalid: follow the Link header as it is, or start again without a cursor`,
    detail: { cursor: text.slice(0, 100) },
  })
}

/** Every `artifactType`, present but empty ones too. Media types hold no spaces: one was a `+` sent unescaped. */
export function parseArtifactTypes(query: URLSearchParams): readonly string[] {
  return query.getAll('artifactType').map((value) => value.replaceAll(' ', '+'))
}
