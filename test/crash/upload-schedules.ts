/**
 * Random schedules of uploads by two processes: chunks, streams, closing PUTs, cancels, bodies that break off or stall, disks
 * that hang, takeovers and kills. After every step each committed file must match its digest, and each acknowledged blob must
 * have its bytes.
 */
import { randomBytes } from 'node:crypto'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import * as fc from 'fast-check'

import { findUpload } from '../../src/metadata/content/uploads.ts'
import { digestBytes, type Digest } from '../../src/oci/digest.ts'
import { parseRepositoryName } from '../../src/oci/repository-name.ts'
import { bodyOf, caller } from '../support/parts/open-registry.ts'
import { slots, type Slot, type Stall, type UploadWorld, type WorldProcess } from './upload-world.ts'

const repository = parseRepositoryName('acme/web')
/** More than the small buffers of the store, so that a piece reaches the file before the body ends. */
const pieceBytes = 70_000
const contentBytes = 6 * pieceBytes

type Ending = 'whole' | 'broken' | 'standing'

interface Patch {
  readonly kind: 'patch'
  readonly at: Slot
  readonly bytes: number
  readonly ending: Ending
  readonly isChunk: boolean
  readonly isWrong: boolean
}

type Request =
  | Patch
  | { readonly kind: 'start' | 'status' | 'cancel' | 'push'; readonly at: Slot }
  | { readonly kind: 'put'; readonly at: Slot; readonly hasBody: boolean }

type Happening =
  | { readonly kind: 'kill' | 'collect' | 'second' | 'release'; readonly at: Slot }
  | { readonly kind: 'hang'; readonly at: Slot; readonly stall: Stall }

export type Step = Request | Happening

const at = fc.constantFrom(...slots)

const plain = fc.record({
  kind: fc.constantFrom(
    'start',
    'status',
    'cancel',
    'push',
    'kill',
    'collect',
    'second',
    'release',
    'release',
  ),
  at,
})
const patch = fc.record({
  kind: fc.constant('patch' as const),
  at,
  bytes: fc.constantFrom(1, 1000, pieceBytes, 2 * pieceBytes),
  ending: fc.constantFrom<Ending[]>('whole', 'whole', 'broken', 'standing'),
  isChunk: fc.boolean(),
  isWrong: fc.constantFrom(false, false, false, false, true),
})
const put = fc.record({ kind: fc.constant('put' as const), at, hasBody: fc.boolean() })
const hang = fc.record({
  kind: fc.constant('hang' as const),
  at,
  stall: fc.record({
    operation: fc.constantFrom('openSegment', 'write', 'sync', 'commit', 'commit', 'stat'),
    kind: fc.constantFrom('wait', 'wait', 'wait', 'fail', 'fail-after'),
  }),
})

export const schedules: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: patch },
    { weight: 3, arbitrary: put },
    { weight: 2, arbitrary: hang },
    { weight: 4, arbitrary: plain },
  ) as fc.Arbitrary<Step>,
  { minLength: 5, maxLength: 14 },
)

/** Counts the situations that occurred, since a run without them proves nothing. */
export interface Met {
  acknowledged: number
  refused: number
  kills: number
  hangs: number
}

class Run {
  readonly #world: UploadWorld
  readonly #met: Met
  readonly #content = randomBytes(contentBytes)
  readonly #acknowledged = new Map<Digest, Buffer>()
  readonly #underWay = new Map<Promise<unknown>, WorldProcess>()
  readonly #clients = new AbortController()
  readonly #processes = new Set<WorldProcess>()
  #id: string | undefined

  constructor(world: UploadWorld, met: Met) {
    this.#world = world
    this.#met = met
  }

  async step(step: Step): Promise<void> {
    const process = await this.#world.process(step.at)
    this.#processes.add(process)
    const work = this.#begin(process, step)
    // Long enough for most steps; a step that hangs continues beside the next ones.
    await Promise.race([work, sleep(4)])
    await this.check()
  }

  /** Completes everything that can still complete, then pushes everything again. */
  async end(): Promise<void> {
    this.#clients.abort(new Error('the client is gone'))
    for (const process of this.#processes) process.release()
    const living = [...this.#underWay].filter(([, process]) => !process.isDead)
    await Promise.all(living.map(([work]) => work))
    await this.check()
    const all = [...this.#acknowledged.values(), this.#content]
    for (const slot of slots) {
      const process = await this.#world.process(slot)
      process.release()
      for (const bytes of all) await this.#push(process, bytes)
      await this.#world.collect(slot)
    }
    await this.check()
  }

  async check(): Promise<void> {
    const broken = await this.#world.brokenFiles()
    if (broken.length > 0) throw new Error(`committed files differ from their digest: ${broken.join(', ')}`)
    const [damaged] = this.#world.damage
    if (damaged !== undefined) throw new Error(`a row without its bytes: ${JSON.stringify(damaged)}`)
    for (const [digest, bytes] of this.#acknowledged) {
      const found = await this.#world.readBlob(repository, digest)
      if (found?.equals(bytes) !== true) throw new Error(`acknowledged ${digest} is not there whole`)
    }
  }

  /** Begins a step. Resolves when it ends and never rejects: the schedule causes most refusals. */
  #begin(process: WorldProcess, step: Step): Promise<unknown> {
    const work = this.#run(process, step).catch(() => {
      this.#met.refused += 1
    })
    this.#underWay.set(work, process)
    void work.then(() => this.#underWay.delete(work))
    return work
  }

  async #run(process: WorldProcess, step: Step): Promise<void> {
    const { uploads } = process.registry
    const request = { repository, caller, id: this.#id ?? 'none' }
    switch (step.kind) {
      case 'start':
        this.#id = (await uploads.start({ repository, caller })).id
        return
      case 'status':
        return void (await uploads.status(request))
      case 'cancel':
        return uploads.cancel(request)
      case 'push':
        return this.#push(process, this.#content)
      case 'patch':
        return this.#patch(process, step)
      case 'put':
        return this.#put(process, step.hasBody)
      default:
        return this.#happen(process, step)
    }
  }

  /** Runs an event that happens to a process without a client's request. */
  async #happen(process: WorldProcess, step: Happening): Promise<void> {
    switch (step.kind) {
      case 'kill':
        this.#met.kills += 1
        process.kill()
        return
      case 'hang':
        this.#met.hangs += 1
        process.plan(step.stall)
        return
      case 'release':
        for (const other of this.#processes) other.release()
        return
      case 'second':
        process.timers.advance(1_000)
        return
      case 'collect':
        return this.#world.collect(step.at)
    }
  }

  async #offset(): Promise<number> {
    if (this.#id === undefined) return 0
    return (await findUpload(this.#world.reader, this.#id))?.offset ?? 0
  }

  async #patch(process: WorldProcess, step: Patch): Promise<void> {
    const offset = await this.#offset()
    const right = this.#content.subarray(offset, offset + step.bytes)
    const bytes = step.isWrong ? Buffer.alloc(step.bytes, 'x') : right
    await process.registry.uploads.append({
      repository,
      caller,
      id: this.#id ?? 'none',
      body: this.#body(bytes, step.ending),
      signal: this.#clients.signal,
      ...(step.isChunk && { start: offset, length: bytes.length }),
    })
  }

  async *#body(bytes: Uint8Array, ending: Ending): AsyncGenerator<Uint8Array> {
    const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, index) =>
      bytes.subarray(index * pieceBytes, (index + 1) * pieceBytes),
    )
    for (const piece of pieces) {
      yield piece
      await turn()
    }
    if (ending === 'broken') yield* bodyOf([], { fail: new Error('connection lost') })
    if (ending === 'standing') yield* bodyOf([], { hang: true })
  }

  async #put(process: WorldProcess, hasBody: boolean): Promise<void> {
    const offset = await this.#offset()
    const bytes = hasBody ? this.#content : this.#content.subarray(0, offset)
    const digest = digestBytes(bytes)
    const { signal } = this.#clients
    const request = { repository, caller, id: this.#id ?? 'none', digest, signal }
    const body = hasBody ? { body: bodyOf([this.#content.subarray(offset)]) } : {}
    await process.registry.uploads.commit({ ...request, ...body })
    this.#acknowledge(digest, bytes)
  }

  async #push(process: WorldProcess, bytes: Buffer): Promise<void> {
    const digest = digestBytes(bytes)
    const { signal } = new AbortController()
    const body = bodyOf([bytes])
    await process.registry.uploads.push({ repository, caller, digest, body, signal })
    this.#acknowledge(digest, bytes)
  }

  #acknowledge(digest: Digest, bytes: Buffer): void {
    this.#met.acknowledged += 1
    this.#acknowledged.set(digest, bytes)
  }
}

/**
 * Runs the steps. Throws when a committed file differs from its digest, or when an acknowledged blob is not served with its
 * bytes.
 */
export async function runSchedule(world: UploadWorld, steps: readonly Step[], met: Met): Promise<void> {
  const run = new Run(world, met)
  try {
    await run.step({ kind: 'start', at: 0 })
    for (const step of steps) await run.step(step)
    await run.end()
  } finally {
    await world.reset()
  }
}
