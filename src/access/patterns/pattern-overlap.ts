/** Whether two patterns have a name in common: what a question about a pattern and a grant share. */
import { literalPrefix } from './repository-pattern.ts'
import type { RepositoryPattern } from './repository-pattern.ts'

/** Takes the product of both lengths in steps at most, 65,025. */
export function overlaps(a: RepositoryPattern, b: RepositoryPattern): boolean {
  const [one, other] = [literalPrefix(a), literalPrefix(b)]
  if (!one.startsWith(other) && !other.startsWith(one)) return false
  return meet(componentsOf(a), componentsOf(b), {
    isOpen: (component) => component === '**',
    fits: (one, other) => meet(one, other, characters),
  })
}

/** At the end `**` stands for one component at least. */
function componentsOf(pattern: RepositoryPattern): readonly string[] {
  const components = pattern.split('/')
  return components.at(-1) === '**' ? [...components, '*'] : components
}

interface Parts {
  /** Whether the part stands for any number of others, none too. */
  readonly isOpen: (part: string | undefined) => boolean
  /** Of two parts that are not open. */
  readonly fits: (a: string, b: string) => boolean
}

const characters: Parts = {
  isOpen: (part) => part === '*',
  fits: (a, b) => a === b,
}

/** The beginnings of both, of every length: a row says of one of `a` with which of `b` it can be the same. */
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
    // Compared only where the beginnings before them are the same.
    else row[length] = above[length - 1] === 1 && parts.fits(left, right) ? 1 : 0
  }
}
