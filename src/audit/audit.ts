/**
 * @module Records the audit: who did what to what, when, from where, with which credential, and with what outcome. An event of a
 * change is written in the transaction of the change (`change`), other events in batches (`record`). Events can be searched and
 * exported; the oldest are deleted by age and number. Nothing changes a row. Callers decide who may read the audit.
 */
import { groupAddress } from '../lib/group-address.ts'
import { Turns } from '../lib/turns/turns.ts'
import {
  findLastAuditKey,
  insertAuditEvents,
  listAuditEvents,
  searchAuditEvents,
} from '../metadata/audit/audit-events.ts'
import type { AuditEvent, AuditFilter, NewAuditEvent } from '../metadata/audit/audit-events.ts'
import type { AuditKey } from '../metadata/audit/audit-walk.ts'
import type { AuditActor, AuditDetail, AuditEntry, AuditTrail } from '../metadata/audit/audit-trail.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { createAuditBuffer, type AuditBufferDeps } from './audit-buffer.ts'
import { plainText } from './plain-text.ts'

export interface Audit extends AuditTrail, AsyncDisposable {
  /** Records a sample of the pulls; called for each pull, but calls `describe` only for the sample. */
  pulled(describe: () => Pull): void
  /** Resolves when all events recorded so far are written; never rejects. */
  flush(): Promise<void>
  /** Returns all matching events before the event with the id `before`, newest first. */
  search(query: AuditSearch): Promise<AuditEvent[]>
  /** Like `search`, but stops after a limited number of rows: continue with `before` set to `next` until `next` is absent. */
  searchPage(query: AuditSearch): Promise<AuditSearchPage>
  /**
   * Yields all matching events that exist when the first page is requested, oldest first. Each page is read when it is requested,
   * in its own turn, and may be empty. Throws the reason of `signal`.
   */
  export(filter: AuditFilter, signal?: AbortSignal): AsyncIterable<readonly AuditEvent[]>
}

export interface AuditSearch {
  readonly filter: AuditFilter
  readonly before?: number | undefined
  readonly limit: number
  readonly signal?: AbortSignal | undefined
}

export interface AuditSearchPage {
  readonly events: readonly AuditEvent[]
  /** The `before` of the next page. */
  readonly next: number | undefined
}

export interface Pull {
  readonly actor: AuditActor
  readonly repository: string
  readonly detail: AuditDetail
}

/** `onError`: a batch could not be written and is lost. */
export interface AuditDeps extends AuditBufferDeps {
  /** The share of pulls that is recorded, from 0 (default) to 1. */
  readonly pulls?: number
  /** Returns a number from 0 up to, but not including, 1. */
  readonly random?: () => number
}

const maxNameCharacters = 512
const maxClientCharacters = 200
const maxDetailCharacters = 1_000
/** The events per page: a few milliseconds, including the formatting. */
const exportPage = 100

export function createAudit(deps: AuditDeps): Audit {
  const { metadata, clock, pulls = 0, random = Math.random } = deps
  const buffer = createAuditBuffer(deps)
  const eventOf = (actor: AuditActor, entry: AuditEntry): NewAuditEvent => ({
    ...entry,
    at: clock.now(),
    actor: cleanActor(actor),
    target: entry.target && { ...entry.target, name: plainText(entry.target.name, maxNameCharacters) },
    detail: entry.detail && cleanDetail(entry.detail),
  })
  return {
    async change(tx, actor, ...entries) {
      await insertAuditEvents(
        tx,
        entries.map((entry) => eventOf(actor, entry)),
      )
    },
    record: (actor, entry) => buffer.add(entry, () => eventOf(actor, entry)),
    recordOnce(actor, entry, key) {
      // Anonymous clients are counted by address, or by /64 of IPv6.
      const party = actor.id === 'anonymous' ? groupAddress(actor.address ?? '') : actor.id
      buffer.addOnce(entry, { key, party }, () => eventOf(actor, entry))
    },
    pulled(describe) {
      if (pulls === 0 || random() >= pulls) return
      const { actor, repository: name, detail } = describe()
      const target = { kind: 'repository', name } as const
      const kind = { action: 'pull', outcome: 'done' } as const
      buffer.add(kind, () => eventOf(actor, { ...kind, target, detail }))
    },
    flush: () => buffer.flush(),
    search: (query) => searchAll(metadata, query),
    searchPage: (query) => searchPage(metadata, query),
    export: (filter, signal) => exportPages(metadata, filter, signal),
    [Symbol.asyncDispose]: () => buffer.close(),
  }
}

function cleanActor({ id, name, credential, address, client, requestId }: AuditActor): AuditActor {
  return {
    id,
    name: plainText(name, maxNameCharacters),
    credential,
    address,
    client: client && plainText(client, maxClientCharacters),
    requestId,
  }
}

function cleanDetail(detail: AuditDetail): AuditDetail {
  const clean = (value: AuditDetail[string]): AuditDetail[string] => {
    if (typeof value === 'string') return plainText(value, maxDetailCharacters)
    if (typeof value !== 'object' || value === null) return value
    return value.map((item) => plainText(item, maxDetailCharacters))
  }
  return Object.fromEntries(Object.entries(detail).map(([name, value]) => [name, clean(value)]))
}

async function searchPage({ reader }: Metadata, query: AuditSearch): Promise<AuditSearchPage> {
  const { events, next } = await searchAuditEvents(reader, query)
  return { events, next: next?.id }
}

async function searchAll(metadata: Metadata, query: AuditSearch): Promise<AuditEvent[]> {
  const found: AuditEvent[] = []
  for (let { before } = query; ;) {
    const page = await searchPage(metadata, { ...query, before, limit: query.limit - found.length })
    found.push(...page.events)
    if (page.next === undefined || found.length >= query.limit) return found
    before = page.next
  }
}

/** A fast reader never waits, and SQLite answers synchronously: without a turn per page, no other request would run. */
async function* exportPages(
  { reader }: Metadata,
  filter: AuditFilter,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly AuditEvent[], void> {
  const turns = new Turns({ signal })
  const last = await findLastAuditKey(reader)
  if (last === undefined) return
  const bounded = {
    ...filter,
    until: Math.min(filter.until ?? Number.MAX_SAFE_INTEGER, last.at + 1),
    lastId: last.id,
  }
  await turns.rest()
  for (let after: AuditKey | undefined; ;) {
    const { events, next } = await listAuditEvents(reader, {
      filter: bounded,
      after,
      limit: exportPage,
      signal,
    })
    yield events
    if (next === undefined) return
    after = next
    await turns.rest()
  }
}
