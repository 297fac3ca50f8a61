/** "Did you mean" for names of the configuration. */
import { findClosest } from '../lib/closest.ts'

/**
 * Returns the end of a message: the shortest name that has the same words in a row (`LADING_HTTP_PORT` for `LADING_PORT`),
 * else the one with the fewest edits, else nothing.
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

/** `LADING_HTTP_PORT` and `--http.port` are `.HTTP.PORT.`. */
function splitWords(name: string): string {
  return `.${name
    .replace(/^(LADING_|--)/, '')
    .replaceAll(/[_-]/g, '.')
    .toUpperCase()}.`
}
