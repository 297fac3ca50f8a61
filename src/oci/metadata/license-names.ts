import { cutText } from './property-list.ts'

/**
 * The single licences in a text: an SPDX expression (`MIT OR (Apache-2.0 AND BSD-3-Clause)`) or a plain list. `WITH` and its
 * exception stay with their licence.
 */
export function licenseNames(text: string): readonly string[] {
  return cutText(text)
    .split(/[(),;]/)
    .flatMap((part) => ` ${part.split(/\s+/).join(' ')} `.split(/ (?:AND|OR)(?= )/))
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
