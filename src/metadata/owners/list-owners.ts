/** Lists owners as keyset pages. A caller who sees only a few owners passes their names, so that the others are not read. */
import { compareTexts } from '../../lib/compare-texts.ts'
import { Turns } from '../../lib/turns/turns.ts'
import type { Reader } from '../handles.ts'
import { ownerOf } from './owners.ts'
import type { Owner, OwnerRow } from './owners.ts'
import type { Visibility } from './schema.ts'
import { compileOnce } from '../sql/compile-once.ts'
import { databaseOf, isAnyOf, listParameter } from '../sql/database.ts'
import { pageByName } from '../sql/keyset-page.ts'

export interface OwnersSeen {
  readonly visibilities: readonly Visibility[]
  /** The names of visible owners with other visibilities. */
  readonly names: readonly string[]
}

interface OwnersRequest {
  /** Exclusive. */
  readonly after?: string | undefined
  readonly limit: number
  readonly kind?: Owner['kind'] | undefined
  /** The owners that the caller may see. Default: all. */
  readonly seen?: OwnersSeen | undefined
  /** Default: its own turns. */
  readonly turns?: Turns | undefined
}

const kinds = ['user', 'organization'] as const
const visibilities = ['public', 'internal', 'private'] as const

const ownersByName = compileOnce<{ after: string; limit: number }, OwnerRow>(({ kysely, parameter }) =>
  pageByName(kysely.selectFrom('owner').selectAll(), 'name', {
    after: parameter('after'),
    limit: parameter('limit'),
  }),
)

const ownersOfVisibility = compileOnce<
  { kind: Owner['kind']; visibility: Visibility; after: string; limit: number },
  OwnerRow
>(({ kysely, parameter }) =>
  pageByName(
    kysely
      .selectFrom('owner')
      .selectAll()
      .where('kind', '=', parameter('kind'))
      .where('visibility', '=', parameter('visibility')),
    'name',
    { after: parameter('after'), limit: parameter('limit') },
  ),
)

const namedOwners = compileOnce<{ names: unknown }, OwnerRow>(({ kysely, dialect, parameter }) =>
  kysely
    .selectFrom('owner')
    .selectAll()
    .where(isAnyOf(dialect, 'name', parameter('names'))),
)

/**
 * Lists owners in byte order of their names. A page is full as long as there are more owners. Throws the reason of the
 * turns' signal.
 */
export async function listOwners(db: Reader, request: OwnersRequest): Promise<Owner[]> {
  const { kind, limit, seen, turns = new Turns() } = request
  let { after = '' } = request
  const isEveryone = visibilities.every((one) => seen === undefined || seen.visibilities.includes(one))
  if (kind === undefined && isEveryone) {
    return (await ownersByName.all(db, { after, limit })).map(ownerOf)
  }
  const names = [...new Set(seen?.names)].filter((name) => name > after).toSorted()
  const found: Owner[] = []
  for (;;) {
    const part = names.splice(0, limit)
    // Beyond the last name of this part, names of later parts may belong between the rows.
    const end = names.length === 0 ? undefined : part.at(-1)
    const rows = await readBoth(db, { kind, seen, after, limit, names: part })
    found.push(...rows.filter(({ name }) => end === undefined || name <= end))
    if (end === undefined || found.length >= limit) return found.slice(0, limit)
    after = end
    await turns.pass()
  }
}

/** Reads the owners with the visibilities, up to `limit` of each, and the named owners, and merges them in order. */
async function readBoth(
  db: Reader,
  { kind, seen, after, limit, names }: OwnersRequest & { readonly after: string; readonly names: string[] },
): Promise<Owner[]> {
  const ofKinds = kind === undefined ? kinds : [kind]
  const arms = ofKinds.flatMap((one) =>
    (seen?.visibilities ?? visibilities).map(async (visibility) =>
      ownersOfVisibility.all(db, { kind: one, visibility, after, limit }),
    ),
  )
  const named = names.length === 0 ? [] : [readNamed(db, names)]
  const rows = (await Promise.all([...arms, ...named])).flat()
  const byName = new Map(rows.map((row) => [row.name, row]))
  return [...byName.values()]
    .filter((row) => kind === undefined || row.kind === kind)
    .toSorted((a, b) => compareTexts(a.name, b.name))
    .map(ownerOf)
}

async function readNamed(db: Reader, names: readonly string[]): Promise<OwnerRow[]> {
  return namedOwners.all(db, { names: listParameter(databaseOf(db).dialect, names) })
}
