import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Loop, maxTurnMs, Turns } from '../../lib/turns/turns.ts'
import { countingReader } from '../contract/counting-reader.ts'
import { openTemporaryMetadata } from '../contract/open-temporary.ts'
import type { TemporaryMetadata } from '../contract/open-temporary.ts'
import { insertAccount } from '../identity/accounts.ts'
import { listOwners } from './list-owners.ts'
import type { OwnersSeen } from './list-owners.ts'
import { insertOrganization } from './owners.ts'

const hiddenCount = 2_000
const openToUsers: OwnersSeen = { visibilities: ['public', 'internal'], names: [] }

let opened: TemporaryMetadata
beforeAll(async () => {
  opened = await openTemporaryMetadata()
  await opened.metadata.transact(async (tx) => {
    for (let index = 0; index < hiddenCount; index++) {
      await insertOrganization(tx, { name: hidden(index), visibility: 'private', now: 1 })
    }
    await insertOrganization(tx, { name: 'a-public', visibility: 'public', now: 1 })
    await insertOrganization(tx, { name: 'z-internal', visibility: 'internal', now: 1 })
    await insertAccount(tx, { name: 'z-user', passwordHash: 'x', isAdmin: false, now: 1 })
  })
})
afterAll(() => opened[Symbol.asyncDispose]())

function hidden(index: number): string {
  return `h${String(index).padStart(5, '0')}`
}

async function list(page: Omit<Parameters<typeof listOwners>[1], 'limit'>, limit = 50) {
  const { counts, reader } = countingReader(opened.metadata.reader)
  const names = (await listOwners(reader, { ...page, limit })).map(({ name }) => name)
  return { names, counts }
}

describe('a page of owners', () => {
  test('reads nothing about owners that the caller must not see', async () => {
    const { names, counts } = await list({ seen: openToUsers })
    expect(names).toEqual(['a-public', 'z-internal', 'z-user'])
    expect(counts.rows).toBe(3)
  })

  test('has the named hidden owners, in order, page by page', async () => {
    const granted = [1500, 3, 700, 3].map(hidden)
    const seen = { visibilities: openToUsers.visibilities, names: [...granted, 'nobody'] }
    const expected = ['a-public', hidden(3), hidden(700), hidden(1500), 'z-internal', 'z-user']
    for (const limit of [1, 2, 3, 50]) {
      const found: string[] = []
      for (let page = [''], after: string | undefined; page.length > 0; after = found.at(-1)) {
        page = (await list({ seen, after }, limit)).names
        found.push(...page)
      }
      expect(found).toEqual(expected)
    }
  })

  test('reads no more than a page of each kind, however many names are given', async () => {
    const names = Array.from({ length: hiddenCount }, (_, index) => hidden(index))
    const { names: found, counts } = await list({ seen: { ...openToUsers, names } })
    expect(found).toEqual(['a-public', ...names.slice(0, 49)])
    expect(counts.rows).toBeLessThan(150)
  })

  test('of one kind reads nothing of the other', async () => {
    const { names, counts } = await list({ kind: 'user' })
    expect(names).toEqual(['z-user'])
    expect(counts.rows).toBe(1)
    expect((await list({ kind: 'organization' })).names).toHaveLength(50)
  })

  test('gives others turns while none of many names has the kind', async () => {
    const names = Array.from({ length: hiddenCount }, (_, index) => hidden(index))
    let time = 0
    const loop = new Loop({ now: () => (time += maxTurnMs) })
    const turns = new Turns({ loop })
    const seen = { ...openToUsers, names }
    expect((await list({ kind: 'user', seen, turns })).names).toEqual(['z-user'])
    // The names are looked up a page at a time.
    expect(loop.turns).toBeGreaterThan(hiddenCount / 50 / 2)
  })
})
