/** Whether two patterns have a name in common: what a question about a pattern and a grant share. */
import type { RepositoryPattern } from '../repository-pattern.ts'

export function overlaps(a: RepositoryPattern, b: RepositoryPattern): boolean {
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
  let row: readonly boolean[] = []
  for (let length = 0; length <= a.length; length++) row = nextRow(row, { left: a[length - 1], b }, parts)
  return row[b.length] === true
}

function nextRow(
  above: readonly boolean[],
  { left, b }: { left: string | undefined; b: ArrayLike<string> },
  parts: Parts,
): readonly boolean[] {
  const row: boolean[] = []
  for (let length = 0; length <= b.length; length++) {
    const right = b[length - 1]
    if (left === undefined && right === undefined) row.push(true)
    else if (parts.isOpen(left) || parts.isOpen(right)) {
      row.push(above[length] === true || row[length - 1] === true)
    } else {
      const isStep = left !== undefined && right !== undefined && parts.fits(left, right)
      row.push(isStep && above[length - 1] === true)
    }
  }
  return row
}
