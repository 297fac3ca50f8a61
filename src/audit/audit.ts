/**
 * @module
 * The audit: who did what to what, when, from where, with which credential, and with what outcome. Changes are written
 * in their own transaction (`change`), what changes nothing in batches (`record`); then it can be searched, exported
 * and, by age and number, forgotten. Nothing changes a row. Who may read it is decided by those who ask.
 */
import { insertAuditEvents, listAuditEvents, searchAuditEvents } from '../metadata/audit-events.ts'
import type { AuditEvent, AuditFilter, NewAuditEvent } from '../metadata/audit-events.ts'
import type { AuditActor, AuditDetail, AuditEntry, AuditTrail } from '../metadata/audit-trail.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { createAuditBuffer, type AuditBufferDeps } from './audit-buffer.ts'
import { plainText } from './plain-text.ts'

export interface Audit extends AuditTrail, AsyncDisposable {
  /** Called for each pull, records a sample; `describe` is asked only for that. */
  pulled(describe: () => Pull): void
  /** Resolves when what was recorded so far is written; never rejects. */
  flush(): Promise<void>
  /** Newest first, before the event with the id `before`. */
  search(query: {
    readonly filter: AuditFilter
    readonly before?: number | undefined
    readonly limit: number
  }): Promise<AuditEvent[]>
  /** All that match, oldest first, page by page as they are asked for. */
  export(filter: AuditFilter): AsyncIterable<AuditEvent>
}

export interface Pull {
  readonly actor: AuditActor
  readonly repository: string
  readonly detail: AuditDetail
}

/** `onError`: a batch could not be written, and is lost. */
export interface AuditDeps extends AuditBufferDeps {
  /** The part of all pulls that is recorded, from 0 (default) to 1. */
  readonly pulls?: number
  /** From 0 to 1, without 1. */
  readonly random?: () => number
}

const maxNameCharacters = 512
const maxClientCharacters = 200
const maxDetailCharacters = 1_000
const exportPage = 500

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
      // Of those that nobody knows, each address is one.
      const party = actor.id === 'anonymous' ? (actor.address ?? '') : actor.id
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
    search: (query) => searchAuditEvents(metadata.reader, query),
    export: (filter) => exportEvents(metadata, filter),
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

async function* exportEvents(metadata: Metadata, filter: AuditFilter): AsyncGenerator<AuditEvent, void> {
  let page: AuditEvent[]
  let after: AuditEvent | undefined
  do {
    page = await listAuditEvents(metadata.reader, { filter, after, limit: exportPage })
    yield* page
    after = page.at(-1)
  } while (page.length === exportPage)
}
