import { sql } from 'kysely'
import { expect, test } from 'vitest'
import type { AuditAction } from '../../audit/audit-actions.ts'
import {
  findLastAuditKey,
  forgetAuditEventsBefore,
  forgetAuditEventsBeyond,
  insertAuditEvents,
  listAuditEvents,
  searchAuditEvents,
} from '../../audit/audit-events.ts'
import type { AuditEvent, AuditFilter, NewAuditEvent } from '../../audit/audit-events.ts'
import { kyselyOf } from '../../sql/database.ts'
import { numbers, unique } from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'
import { countTurns } from '../wrapped-metadata.ts'

type Changes = Partial<Omit<NewAuditEvent, 'actor'>> & { readonly actor?: Partial<NewAuditEvent['actor']> }

const complete = {
  at: 1_000_000,
  action: 'tag.move',
  outcome: 'done',
  actor: {
    id: 'user:7',
    name: 'bob',
    credential: 'access-token:12',
    address: '192.0.2.1',
    client: 'docker/29.0',
    requestId: 'r-1',
  },
  target: { kind: 'repository', name: 'acme/web' },
  detail: { tag: 'v1', count: 2, before: null, list: ['a', 'b'] },
} satisfies NewAuditEvent

function anEvent({ actor, ...changes }: Changes = {}): NewAuditEvent {
  return { ...complete, ...changes, actor: { ...complete.actor, ...actor } }
}

export function testAuditEvents({ metadata }: ContractSubject): void {
  const insert = (events: readonly NewAuditEvent[]) =>
    metadata().transact((tx) => insertAuditEvents(tx, events))

  const search = async (filter: AuditFilter, page: { before?: number; limit?: number } = {}) => [
    ...(await searchAuditEvents(metadata().reader, { filter, limit: 100, ...page })).events,
  ]

  const list = async (page: Omit<Parameters<typeof listAuditEvents>[1], 'signal'>) => [
    ...(await listAuditEvents(metadata().reader, page)).events,
  ]

  const times = (events: readonly AuditEvent[]): number[] => events.map(({ at }) => at)

  /** Inserts events of a unique actor, since the database may have events of others. */
  async function insertOf(changes: readonly Changes[]): Promise<string> {
    const name = unique('actor')
    await insert(changes.map(({ actor, ...rest }) => anEvent({ ...rest, actor: { ...actor, name } })))
    return name
  }

  test('returns the stored values, and omitted ones as absent', async () => {
    const bare = { at: 5, action: 'login', outcome: 'unknown', actor: { id: 'anonymous' } } as const
    const actor = await insertOf([{ at: 6 }, { ...bare, target: undefined, detail: undefined }])
    const [newest, oldest] = await search({ actor })
    expect(newest).toEqual({
      ...complete,
      at: 6,
      id: expect.any(Number),
      actor: { ...complete.actor, name: actor },
    })
    expect(oldest).toMatchObject({
      action: 'login',
      outcome: 'unknown',
      target: undefined,
      detail: undefined,
    })
  })

  test('stores text that contains NUL', async () => {
    const actor = await insertOf([{ actor: { client: 'a\0b' } }])
    expect(await search({ actor })).toMatchObject([{ actor: { client: 'a\uFFFDb' } }])
  })

  test('searches newest first, page by page, whenever events arrive', async () => {
    const actor = await insertOf(numbers(250).map((index) => ({ at: 1_000 + ((index * 7) % 250) })))
    const pages: AuditEvent[] = []
    for (let before: number | undefined; ; before = pages.at(-1)?.id) {
      const page = await search({ actor }, { limit: 60, ...(before !== undefined && { before }) })
      pages.push(...page)
      if (page.length === 0) break
    }
    expect(times(pages)).toEqual(numbers(250).map((index) => 1_249 - index))
  })

  test('orders events of one moment by their arrival', async () => {
    const actor = await insertOf(numbers(5).map((index) => ({ at: 9, detail: { index } })))
    const first = await search({ actor }, { limit: 2 })
    const rest = await search({ actor }, { before: first[1]!.id })
    expect([...first, ...rest].map(({ detail }) => detail?.['index'])).toEqual([4, 3, 2, 1, 0])
  })

  test('finds nothing before a deleted event', async () => {
    const actor = await insertOf([{}])
    expect(await search({ actor }, { before: 0 })).toEqual([])
  })

  test('leaves out the events of accounts, and events after a certain one', async () => {
    const owner = unique('owner')
    const targets = [
      { kind: 'user', name: owner },
      { kind: 'owner', name: owner },
      { kind: 'robot', name: `${owner}+ci` },
    ] as const
    await insertOf(targets.map((target) => ({ target })))
    const kinds = async (filter: AuditFilter) =>
      (await search({ target: `${owner}/`, ...filter })).map(({ target }) => target?.kind)
    expect(await kinds({})).toEqual(['robot', 'owner', 'user'])
    expect(await kinds({ withoutAccounts: true })).toEqual(['robot', 'owner'])
    const [, { id: lastId } = { id: 0 }] = await search({ target: `${owner}/` })
    expect(await kinds({ lastId })).toEqual(['owner', 'user'])
  })

  test('finds the last id and the latest time, also of different events', async () => {
    const at = Date.now() + 10 ** 11
    const actor = await insertOf([{ at }, { at: 7 }])
    const [, late] = await list({ filter: { actor }, limit: 10 })
    const last = await findLastAuditKey(metadata().reader)
    expect(last?.at).toBeGreaterThanOrEqual(at)
    expect(last?.id).toBeGreaterThan(late?.id ?? Infinity)
  })

  test('lists oldest first after an event, for exports', async () => {
    const actor = await insertOf(numbers(5).map((index) => ({ at: 50 - (index % 2) })))
    const all = await list({ filter: { actor }, limit: 10 })
    expect(times(all)).toEqual([49, 49, 50, 50, 50])
    const rest = await list({ filter: { actor }, after: all[2], limit: 10 })
    expect(rest).toEqual(all.slice(3))
  })

  const owner = unique('acme')
  const filters: readonly (readonly [string, AuditFilter, Changes, Changes])[] = [
    ['action', { action: 'user.create' }, { action: 'user.create' }, {}],
    ['outcome', { outcome: 'denied' }, { outcome: 'denied' }, { outcome: 'throttled' }],
    ['the usual outcome', { outcome: 'done' }, { outcome: 'done' }, { outcome: 'granted' }],
    [
      'target',
      { target: `${owner}/web` },
      { target: { kind: 'repository', name: `${owner}/web` } },
      { target: { kind: 'repository', name: `${owner}/web/api` } },
    ],
    [
      'everything below a target',
      { target: `${owner}/web/` },
      { target: { kind: 'repository', name: `${owner}/web/api` } },
      { target: { kind: 'repository', name: `${owner}/web-2` } },
    ],
    [
      'owner, including its robots',
      { target: `${owner}/` },
      { target: { kind: 'robot', name: `${owner}+ci` } },
      { target: { kind: 'owner', name: `${owner}2` } },
    ],
    ['begin', { since: 500 }, { at: 500 }, { at: 499 }],
    ['end', { until: 500 }, { at: 499 }, { at: 500 }],
  ]

  test.each(filters)('filters by %s', async (_, filter, matching, other) => {
    const actor = await insertOf([matching, other])
    expect(await search({ actor, ...filter })).toMatchObject([matching])
    // Without the actor, events of other tests may match too; only the query plan matters here.
    expect((await search(filter)).length).toBeGreaterThan(0)
  })

  test('applies every part of a filter, each combination with an index', async () => {
    const action: AuditAction = 'tag.move'
    const all = { action, outcome: 'denied', target: `${owner}/web`, since: 1, until: 2_000_000 } as const
    const actor = await insertOf([{ ...all, at: 7, target: { kind: 'repository', name: all.target } }, {}])
    const names = ['action', 'outcome', 'target', 'since', 'until', 'actor'] as const
    const complete = { ...all, actor }
    for (const mask of numbers(1 << names.length)) {
      const chosen = names.filter((_, index) => (mask & (1 << index)) !== 0)
      const filter = Object.fromEntries(chosen.map((name) => [name, complete[name]])) as AuditFilter
      const [found] = await search(filter, { limit: 1 })
      expect(found).toBeDefined()
      expect(await search(filter, { before: found!.id })).not.toContainEqual(found)
      await list({ filter, after: { at: 1, id: 1 }, limit: 10 })
    }
    expect(await search(complete)).toHaveLength(1)
  })

  test('finds the few that match among thousands that match in part, in either order', async () => {
    const matching: Changes = { action: 'user.create', target: { kind: 'user', name: `${owner}-few` } }
    const actor = await insertOf(
      numbers(12_003).map((index) => (index % 6_000 === 1 ? { ...matching, at: index } : { at: index })),
    )
    const filter = { actor, action: 'user.create' } as const
    expect(times(await search(filter))).toEqual([12_001, 6_001, 1])
    expect(times(await search(filter, { limit: 2 }))).toEqual([12_001, 6_001])
    const listed = await list({ filter, limit: 10 })
    expect(times(listed)).toEqual([1, 6_001, 12_001])
  })

  test('a page ends when enough rows were read, and returns where to continue', async ({ skip }) => {
    skip(metadata().dialect !== 'sqlite', 'PostgreSQL finds rare rows by itself')
    const actor = unique('actor')
    const rows = 60_000
    await metadata().transact(async (tx) => {
      await sql`with recursive number (n) as (select 1 union all select n + 1 from number where n < ${rows})
        insert into audit_event (at, action, outcome, actor, actor_name)
        select n, case when n in (1, 2) then 'user.create' else 'tag.move' end, 'done', 'user:1', ${actor}
        from number`.execute(kyselyOf(tx))
    })
    const filter = { actor, action: 'user.create' } as const
    const { reader } = metadata()
    const first = await searchAuditEvents(reader, { filter, limit: 10 })
    expect(first).toMatchObject({ events: [], next: { at: rows - 50_000 + 1 } })
    const second = await searchAuditEvents(reader, { filter, before: first.next?.id, limit: 10 })
    expect(times(second.events)).toEqual([2, 1])
    expect(second.next).toBeUndefined()
    const aborted = AbortSignal.abort(new Error('the caller has left'))
    await expect(listAuditEvents(reader, { filter, limit: 10, signal: aborted })).rejects.toThrow(
      'the caller has left',
    )
  })

  test('concurrent walks read one slice per turn together', async ({ skip }) => {
    skip(metadata().dialect !== 'sqlite', 'PostgreSQL finds rare rows by itself')
    const actor = await insertOf(numbers(5_000).map((index) => ({ at: index })))
    const filter = { actor, action: 'user.create' } as const
    const walks = 8
    const turns = await countTurns(metadata(), () =>
      Promise.all(numbers(walks).map(() => listAuditEvents(metadata().reader, { filter, limit: 10 }))),
    )
    // A slice has 500 rows; the first slice of each walk is read in the call itself.
    expect(turns).toBeGreaterThanOrEqual(walks * 9)
  })

  test('a page is limited by bytes too, and has at least one event', async () => {
    const detail = { text: 'x'.repeat(600 * 1024) }
    const huge = { text: 'x'.repeat(2 * 1024 * 1024) }
    const actor = await insertOf([{ at: 5, detail }, { at: 4, detail }, { at: 3, detail: huge }, { at: 2 }])
    const pages: number[][] = []
    for (let before: number | undefined; ;) {
      const { events, next } = await searchAuditEvents(metadata().reader, {
        filter: { actor },
        before,
        limit: 10,
      })
      pages.push(times(events))
      if (next === undefined) break
      before = next.id
    }
    expect(pages).toEqual([[5], [4], [3], [2]])
  })

  test('pages larger than one query contain all events', async () => {
    const actor = await insertOf(numbers(1_203).map((index) => ({ at: index })))
    expect(times(await search({ actor }, { limit: 2_000 }))).toHaveLength(1_203)
    expect(times(await search({ actor }, { limit: 1_000 }))).toHaveLength(1_000)
  })

  test('deletes by age, oldest first, in batches', async () => {
    const actor = await insertOf(numbers(5).map((index) => ({ at: index - 1_000 })))
    const forget = () => metadata().transact((tx) => forgetAuditEventsBefore(tx, { before: -996, limit: 3 }))
    expect(await forget()).toBe(3)
    expect(await forget()).toBe(1)
    expect(await forget()).toBe(0)
    expect(times(await search({ actor }))).toEqual([-996])
  })

  test('deletes by number all but the newest', async () => {
    const actor = await insertOf(numbers(10).map((index) => ({ at: 100 - index })))
    const forget = (limit: number) =>
      metadata().transact((tx) => forgetAuditEventsBeyond(tx, { keep: 4, limit }))
    expect(await forget(2)).toBe(2)
    while ((await forget(1_000)) > 0);
    expect(times(await search({ actor }))).toEqual([94, 93, 92, 91])
  })
}
