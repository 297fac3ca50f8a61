/** Suggestions ("did you mean") for unknown configuration names. */
import { findClosest } from '../lib/closest.ts'

/**
 * Returns the end of an error message. It suggests the shortest name that contains the same words in a row (`LADING_HTTP_PORT`
 * for `LADING_PORT`), otherwise the name with the fewest edits. It is empty if no name is close.
 */
export function suggest(name: string, candidates: Iterable<string>): string {
  const names = [...candidates]
  const closest = findLonger(name, names) ?? findClosest(name, names)
  return closest === undefined ? '' : `; did you mean ${closest}?`
}

function findLonger(name: string, candidates: readonly string[]): string | undefined {
  const words = splitWords(name)
  if (words === '..') return undefined
  return candidates
    .filter((candidate) => splitWords(candidate).includes(words))
    .sort((one, other) => one.length - other.length)[0]
}

/** Turns both `LADING_HTTP_PORT` and `--http.port` into `.HTTP.PORT.`. */
function splitWords(name: string): string {
  return `.${name
    .replace(/^(LADING_|--)/, '')
    .replaceAll(/[_-]/g, '.')
    .toUpperCase()}.`
}
