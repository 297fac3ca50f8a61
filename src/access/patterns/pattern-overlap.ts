/** Checks whether two patterns match a common name, for example the pattern of a question and the pattern of a grant. */
import { literalPrefix } from './repository-pattern.ts'
import type { RepositoryPattern } from './repository-pattern.ts'

/** Whether a name matches both patterns. Takes at most as many steps as the product of both lengths (65,025). */
export function overlaps(a: RepositoryPattern, b: RepositoryPattern): boolean {
  const [one, other] = [literalPrefix(a), literalPrefix(b)]
  if (!one.startsWith(other) && !other.startsWith(one)) return false
  return meet(componentsOf(a), componentsOf(b), {
    isOpen: (component) => component === '**',
    fits: (one, other) => meet(one, other, characters),
  })
}

/** At the end, `**` matches at least one component. */
function componentsOf(pattern: RepositoryPattern): readonly string[] {
  const components = pattern.split('/')
  return components.at(-1) === '**' ? [...components, '*'] : components
}

interface Parts {
  /** Whether the part is a wildcard, which matches any number of parts, including none. */
  readonly isOpen: (part: string | undefined) => boolean
  /** Whether two parts that are not open can match the same text. */
  readonly fits: (a: string, b: string) => boolean
}

const characters: Parts = {
  isOpen: (part) => part === '*',
  fits: (a, b) => a === b,
}

/** Compares all prefixes of both: a row says for one prefix of `a` which prefixes of `b` can match the same text. */
function meet(a: ArrayLike<string>, b: ArrayLike<string>, parts: Parts): boolean {
  let row = new Uint8Array(b.length + 1)
  let above = new Uint8Array(b.length + 1)
  row[0] = 1
  for (let length = 1; length <= b.length && parts.isOpen(b[length - 1]); length++) row[length] = 1
  for (let length = 1; length <= a.length; length++) {
    ;[row, above] = [above, row]
    fillRow({ row, above }, { left: a[length - 1] ?? '', b }, parts)
  }
  return row[b.length] === 1
}

function fillRow(
  { row, above }: { readonly row: Uint8Array; readonly above: Uint8Array },
  { left, b }: { readonly left: string; readonly b: ArrayLike<string> },
  parts: Parts,
): void {
  const isOpen = parts.isOpen(left)
  row[0] = isOpen ? (above[0] ?? 0) : 0
  for (let length = 1; length <= b.length; length++) {
    const right = b[length - 1] ?? ''
    if (isOpen || parts.isOpen(right)) row[length] = (above[length] ?? 0) | (row[length - 1] ?? 0)
    // Compare the parts only if the prefixes before them match.
    else row[length] = above[length - 1] === 1 && parts.fits(left, right) ? 1 : 0
  }
}
