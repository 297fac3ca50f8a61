import { describe, expect, test } from 'vitest'
import type { RepositoryName } from '../../oci/repository-name.ts'
import { openTemporaryMetadata } from '../contract/open-temporary.ts'
import type { Reader } from '../handles.ts'
import { listRepositories } from './list-repositories.ts'
import type { Metadata } from '../metadata.ts'
import { insertOrganization } from '../owners/owners.ts'
import { ensureRepository } from './repositories.ts'
import { deleteRepository } from '../deletion/repository-deletion.ts'
import { createReader, databaseOf } from '../sql/database.ts'
import type { Database } from '../sql/database.ts'

function create(metadata: Metadata, names: readonly string[]): Promise<void> {
  return metadata.transact(async (tx) => {
    for (const name of names) {
      await ensureRepository(tx, { name: name as RepositoryName, visibility: 'public', now: 1 })
    }
  })
}

/** Calls `interrupt` between the first query and the second one. */
function interruptedReader({ reader }: Metadata, interrupt: () => Promise<unknown>): Reader {
  const database = databaseOf(reader)
  let isFirst = true
  const pass = (answer: unknown): unknown => {
    if (!isFirst) return answer
    isFirst = false
    return interrupt().then(() => answer)
  }
  const templates: Database['templates'] = {
    all: (template, parameters) => pass(database.templates.all(template, parameters)),
    first: (template, parameters) => pass(database.templates.first(template, parameters)),
  }
  return createReader({ ...database, templates })
}

const visible = { all: false, public: true, owner: undefined } as const
/** The rows of a slice, and of a page. */
const limit = 50
const shown = Array.from({ length: limit - 1 }, (_, index) => `b/${String(index).padStart(3, '0')}`)

describe('a page of repositories with one that its owner hides', () => {
  async function openScene(hidden: string) {
    const opened = await openTemporaryMetadata()
    const { metadata } = opened
    const [owner = ''] = hidden.split('/')
    await metadata.transact((tx) => insertOrganization(tx, { name: owner, visibility: 'private', now: 1 }))
    await create(metadata, [hidden, ...shown, 'd/next'])
    return opened
  }

  test('omits none when another repository is deleted in between', async () => {
    await using opened = await openScene('c/hidden')
    const { metadata } = opened
    const reader = interruptedReader(metadata, () =>
      deleteRepository(metadata, { name: 'b/000' as RepositoryName, now: 1 }),
    )
    expect(await listRepositories(reader, { limit, visible })).toContain('d/next')
  })

  test('repeats none when another repository is created in between', async () => {
    await using opened = await openScene('a/hidden')
    const { metadata } = opened
    const reader = interruptedReader(metadata, () => create(metadata, ['a-new/one']))
    const names = await listRepositories(reader, { limit, visible })
    expect(names).toEqual([...new Set(names)])
    expect(names).toEqual(expect.arrayContaining(shown.slice(0, limit - 2)))
  })
})
