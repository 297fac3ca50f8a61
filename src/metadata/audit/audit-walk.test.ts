import type { KyselyPlugin } from 'kysely'
import { expect, test } from 'vitest'
import { forgetAuditEventsBefore, insertAuditEvents } from './audit-events.ts'
import { walkAudit } from './audit-walk.ts'
import { openTemporaryMetadata } from '../contract/open-temporary.ts'
import type { Reader } from '../handles.ts'
import type { Metadata } from '../metadata.ts'
import { createReader, databaseOf } from '../sql/database.ts'

function insertAt(metadata: Metadata, at: number, text = ''): Promise<void> {
  const actor = { id: 'user:1', name: 'bob' }
  const event = { at, action: 'login', outcome: 'granted', actor, detail: { text } } as const
  return metadata.transact((tx) => insertAuditEvents(tx, [event]))
}

/** Calls `interrupt` between the first query, which finds the keys of a slice, and the one that reads its rows. */
function interruptedReader({ reader }: Metadata, interrupt: () => Promise<unknown>): Reader {
  let isFirst = true
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      if (isFirst) {
        isFirst = false
        await interrupt()
      }
      return result
    },
  }
  const database = databaseOf(reader)
  return createReader({ ...database, kysely: database.kysely.withPlugin(plugin) })
}

const page = { filter: { actor: 'bob' }, limit: 2, order: 'asc' } as const

test('a page has each event once, and no more than requested, when one is added between its two queries', async () => {
  await using opened = await openTemporaryMetadata()
  const { metadata } = opened
  for (const at of [1, 3, 4]) await insertAt(metadata, at)
  const reader = interruptedReader(metadata, () => insertAt(metadata, 2))
  const first = await walkAudit(reader, page)
  expect(first.rows.map(({ at }) => at)).toEqual([1, 2])
  const second = await walkAudit(metadata.reader, { ...page, start: first.next })
  expect(second.rows.map(({ at }) => at)).toEqual([3, 4])
})

test('a page whose events are deleted between its two queries is not the last one', async () => {
  await using opened = await openTemporaryMetadata()
  const { metadata } = opened
  for (const at of [1, 2]) await insertAt(metadata, at, 'x'.repeat(800_000))
  const forget = () => metadata.transact((tx) => forgetAuditEventsBefore(tx, { before: 2, limit: 10 }))
  const first = await walkAudit(interruptedReader(metadata, forget), page)
  expect(first.rows).toEqual([])
  const second = await walkAudit(metadata.reader, { ...page, start: first.next })
  expect(second.rows.map(({ at }) => at)).toEqual([2])
  expect(first.next).toBeDefined()
})
