import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Loop } from '../../lib/turns/turns.ts'
import { insertAccount } from '../../metadata/identity/accounts.ts'
import { countingReader } from '../../metadata/contract/counting-reader.ts'
import { openTemporaryMetadata } from '../../metadata/contract/open-temporary.ts'
import type { TemporaryMetadata } from '../../metadata/contract/open-temporary.ts'
import { insertGrant } from '../../metadata/rights/grants.ts'
import { insertOrganization } from '../../metadata/owners/owners.ts'
import { findRole } from '../../metadata/rights/roles.ts'
import { insertTeam, insertTeamMember } from '../../metadata/owners/teams.ts'
import { deny } from './explain-verdict.ts'
import { listHolders } from './list-holders.ts'

const grantCount = 2_000
const memberCount = 450

let opened: TemporaryMetadata
beforeAll(async () => {
  opened = await openTemporaryMetadata()
  await opened.metadata.transact(async (tx) => {
    const ownerId = await insertOrganization(tx, { name: 'acme', visibility: 'private', now: 1 })
    const roleId = (await findRole(tx, 'reader'))?.id ?? 0
    const teamId = await insertTeam(tx, { ownerId, name: 'dev', now: 1 })
    const accounts: number[] = []
    for (let index = 0; index < memberCount; index++) {
      const name = `user-${String(index).padStart(4, '0')}`
      const id = await insertAccount(tx, { name, passwordHash: 'x', isAdmin: false, now: 1 })
      await insertTeamMember(tx, { teamId, accountId: id, now: 1 })
      accounts.push(id)
    }
    const grant = (pattern: string, principal: { kind: 'account' | 'team'; id: number }) =>
      insertGrant(tx, { ownerId, pattern, roleId, principal, createdBy: 'test', now: 1 })
    // Long patterns that almost match the requested pattern.
    for (let index = 0; index < grantCount; index++) {
      const pattern = `*${'a'.repeat(60)}*${String(index)}`
      await grant(pattern, { kind: 'account', id: accounts[index % memberCount] ?? 0 })
    }
    await grant('web/**', { kind: 'team', id: teamId })
    await grant('web/app', { kind: 'account', id: accounts[7] ?? 0 })
  })
}, 60_000)
afterAll(() => opened[Symbol.asyncDispose]())

/** The policy decides what is open to everyone; here, nothing is. */
const explain = () => Promise.resolve(deny('nothing is open here'))
const asked = { action: 'pull', anonymous: 'none', owner: 'acme', explain } as const

/** A loop whose clock advances by one millisecond each time it is read. */
function createFastLoop(): Loop {
  let time = 0
  return new Loop({ now: () => time++ })
}

async function listAll(repositories: string, limit: number) {
  const { counts, reader } = countingReader(opened.metadata.reader)
  const loop = createFastLoop()
  const pages: string[][] = []
  let after: string | undefined
  do {
    const page = await listHolders(reader, { ...asked, repositories, after, limit, loop })
    pages.push(page.holders.map(({ name }) => name))
    ;({ after } = page)
  } while (after !== undefined)
  return { pages, counts, loop }
}

describe('the list of holders', () => {
  test('is read in pages and checked in turns, both grants and members', async () => {
    const { pages, counts, loop } = await listAll('web/**', 200)
    const names = Array.from({ length: memberCount }, (_, index) => `user-${String(index).padStart(4, '0')}`)
    expect(pages.flat()).toEqual([...names, 'user-0007'])
    expect(counts.mostRows).toBeLessThanOrEqual(100)
    // Each grant is one unit of work, and a turn does at most four.
    expect(loop.turns).toBeGreaterThan(grantCount / 5)
  })

  test('ends a page early after many checks, and continues after it', async () => {
    const { pages, loop } = await listAll(`*${'a'.repeat(50)}b`, 200)
    expect(pages.flat()).toEqual([])
    expect(pages.length).toBeGreaterThan(1)
    expect(loop.turns / pages.length).toBeLessThanOrEqual(110)
  })

  test('reads each member of a team once with pages of any size', async () => {
    const { pages, counts } = await listAll('web/other', 50)
    expect(pages.flat()).toHaveLength(memberCount)
    expect(new Set(pages.flat()).size).toBe(memberCount)
    // A page may read one batch of members and one of grants more than it needs.
    expect(counts.rows).toBeLessThan(grantCount + pages.length * 250)
  })

  test('stops when the client has disconnected', async () => {
    const controller = new AbortController()
    const loop = createFastLoop()
    const reason = new Error('the client is gone')
    const { signal } = controller
    const page = { ...asked, repositories: `*${'a'.repeat(50)}b`, limit: 200, loop, signal }
    const listing = listHolders(opened.metadata.reader, page).catch((error: unknown) => error)
    while (loop.turns < 3) await new Promise((resolve) => setImmediate(resolve))
    controller.abort(reason)
    expect(await listing).toBe(reason)
    expect(loop.turns).toBeLessThan(10)
  })
})
