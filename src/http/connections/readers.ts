/**
 * The clients that take replies, and the memory that they make us hold. Replies that are made in memory wait for room before they
 * are made; every reply that its reader has not taken at once is watched, streamed or not, and its connection is cut when the reader
 * takes nothing for too long. Bodies that come into memory count too. This is the only place that knows either limit.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { ByteBudget } from '../../lib/memory/byte-budget.ts'
import { TurnBudget } from '../../lib/turns/turn-budget.ts'
import type { HttpLimits } from '../limits.ts'
import { smallReplyBytes } from '../limits.ts'
import type { Log } from '../log.ts'
import type { HttpObserver } from '../observer.ts'
import { peerAddress } from '../requests/origin.ts'

export interface ReadersDeps {
  readonly limits: Pick<HttpLimits, 'replyIdleMs' | 'crowdedReplyIdleMs' | 'replyMemoryBytes'>
  readonly log: Pick<Log, 'debug'>
  readonly observer?: Pick<HttpObserver, 'onConnectionClosed'> | undefined
  /** Milliseconds of any clock that only goes forward. */
  readonly now?: () => number
}

/** A request and its reply, as far as their memory is concerned. */
export interface ReplyMemory {
  /** Who answers for it: the account, the owner of a robot, or the address of those without an account. */
  readonly party: string
  /** Bytes that were set aside for it before it was made. */
  reservedBytes: number
  /** The turn of the event loop in which making it began; `undefined` when that is settled. */
  begunInTurn?: number | undefined
}

interface Holders {
  count: number
  /** Of the first of them. */
  readonly party: string
}

interface Watched {
  readonly response: ServerResponse
  readonly socket: Socket
  readonly holdsMemory: boolean
  /** What the peer had taken when it was looked at last, and since when that has not changed. */
  taken: number
  since: number
  /** The same as of when it had last taken enough for a reader that others wait for. */
  pacedTaken: number
  pacedSince: number
}

/** A client that sends a body into memory that was set aside for it. */
interface Sender {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  /** What had come when it had last sent enough for one that others wait for, and since when. */
  received: number
  since: number
}

/** SQLite answers at once, so that many lists would be made in one turn of the event loop; the longest page of tags has 1.3 MB. */
const maxMadePerTurn = 1024 * 1024
/** Of replies whose size shows only when they are made; most lists come to less. */
const expectedBytes = 512 * 1024
/** The kernel takes the first megabytes of each reply without waiting, so that writing them never lets others come in between. */
const maxWrittenPerTurn = 4 * 1024 * 1024

/** Four parties have to work together to keep others waiting. */
const sharesOfMemory = 4

/** Within `crowdedReplyIdleMs`, of a client whose memory others wait for: one with 100 KB/s moves three times as much. */
const leastMovedBytes = 1024 * 1024

/** How often readers are looked at: their limit is exceeded by this much at most. */
const maxCheckMs = 5_000
const minCheckMs = 10
const checksPerLimit = 4

export class Readers {
  readonly #deps: ReadersDeps
  readonly #now: () => number
  readonly #memory: ByteBudget
  readonly #making = new TurnBudget({ maxBytes: maxMadePerTurn })
  readonly #writing = new TurnBudget({ maxBytes: maxWrittenPerTurn })
  /** How many replies hold the same bytes: the reference that a cache and many readers share counts once. */
  readonly #holders = new Map<ArrayBufferLike, Holders>()
  readonly #watched = new Map<ServerResponse, Watched>()
  readonly #senders = new Map<ServerResponse, Sender>()
  #timer: NodeJS.Timeout | undefined

  constructor(deps: ReadersDeps) {
    this.#deps = deps
    this.#now = deps.now ?? (() => performance.now())
    const maxBytes = deps.limits.replyMemoryBytes
    this.#memory = new ByteBudget({ maxBytes, maxPerParty: maxBytes / sharesOfMemory })
  }

  /** Bytes of large manifests that come in, and of large replies that are being made or that their readers have not taken yet. */
  get heldBytes(): number {
    return this.#memory.takenBytes
  }

  /** Requests that wait for room in memory. */
  get waiting(): number {
    return this.#memory.waiting
  }

  /**
   * Sets bytes aside for a reply; resolves when there is room, and when other large replies of this turn of the event loop leave
   * time to make it. Small replies never wait. Rejects with the reason of the signal, which
   * is only asked for when it has to wait.
   */
  async reserve(reply: ReplyMemory, bytes: number, signalOf: () => AbortSignal): Promise<void> {
    if (bytes < smallReplyBytes) return
    await this.reserveBody(reply, bytes, signalOf)
    await this.#making.take(Math.min(bytes, expectedBytes))
    reply.begunInTurn = this.#making.turn
  }

  /** As `reserve`, for the body of a request, which takes as long to come as its client likes. */
  async reserveBody(request: ReplyMemory, bytes: number, signalOf: () => AbortSignal): Promise<void> {
    if (bytes < smallReplyBytes) return
    const { party } = request
    if (!this.#memory.tryTake(bytes, party)) await this.#memory.wait(bytes, signalOf(), party)
    request.reservedBytes += bytes
  }

  /** Before so many bytes of a reply in memory are written: `undefined` if that may be now, otherwise resolves when it may. */
  beginWrite(bytes: number): Promise<void> | undefined {
    return this.#writing.take(bytes)
  }

  /** Gives back what was set aside for a reply that came to so many bytes. */
  release(reply: ReplyMemory, actual = 0): void {
    if (reply.reservedBytes === 0) return
    const { begunInTurn: turn } = reply
    reply.begunInTurn = undefined
    if (turn !== undefined) {
      this.#making.settle({ turn, taken: Math.min(reply.reservedBytes, expectedBytes), actual })
    }
    this.#memory.giveBack(reply.reservedBytes, reply.party)
    reply.reservedBytes = 0
  }

  /** Counts the bytes of a reply that is made, in place of what was set aside for it, until the result is disposed. */
  hold(reply: ReplyMemory, { buffer, byteLength }: Uint8Array): Disposable {
    const holders = this.#holders.get(buffer)
    if (holders === undefined) {
      const { party } = reply
      this.#holders.set(buffer, { count: 1, party })
      this.#memory.take(buffer.byteLength, party)
    } else holders.count += 1
    this.release(reply, byteLength)
    return { [Symbol.dispose]: () => this.#letGo(buffer) }
  }

  #letGo(buffer: ArrayBufferLike): void {
    const holders = this.#holders.get(buffer)
    if (holders === undefined) return
    holders.count -= 1
    if (holders.count > 0) return
    this.#holders.delete(buffer)
    this.#memory.giveBack(buffer.byteLength, holders.party)
  }

  /**
   * Cuts the connection when its reader takes nothing for too long, from now until the reply is closed; one that holds memory
   * which others wait for when it takes too little.
   */
  watch(response: ServerResponse, { holdsMemory }: { readonly holdsMemory: boolean }): void {
    if (response.destroyed || this.#watched.has(response)) return
    const { socket } = response.req
    const [taken, since] = [takenFrom(socket), this.#now()]
    const watched = { response, socket, holdsMemory, taken, since, pacedTaken: taken, pacedSince: since }
    this.#watched.set(response, watched)
    response.once('close', () => this.#watched.delete(response))
    this.#startTimer()
  }

  /**
   * Cuts the connection of a client whose body holds memory that others wait for when it sends too little, until the body is
   * complete.
   */
  watchSender(incoming: IncomingMessage, response: ServerResponse): void {
    if (response.destroyed || incoming.complete) return
    const received = incoming.socket.bytesRead
    this.#senders.set(response, { incoming, response, received, since: this.#now() })
    response.once('close', () => this.#senders.delete(response))
    this.#startTimer()
  }

  #startTimer(): void {
    this.#timer ??= setInterval(() => this.check(), this.#checkMs()).unref()
  }

  /** Looks at every client once. A timer calls it, and ends when it finds none: most are gone before it comes. */
  check(): void {
    if (this.#watched.size + this.#senders.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
    this.#checkReaders()
    this.#checkSenders()
  }

  #checkReaders(): void {
    const { replyIdleMs, crowdedReplyIdleMs } = this.#deps.limits
    const isCrowded = this.#memory.waiting > 0
    const now = this.#now()
    for (const watched of this.#watched.values()) {
      note(watched, now)
      const isPressed = isCrowded && watched.holdsMemory
      if (now - watched.since >= replyIdleMs) this.#cut(watched, now - watched.since)
      else if (isPressed && now - watched.pacedSince >= crowdedReplyIdleMs) {
        this.#cut(watched, now - watched.pacedSince)
      }
    }
  }

  #checkSenders(): void {
    const isCrowded = this.#memory.waiting > 0
    const now = this.#now()
    for (const sender of this.#senders.values()) {
      const { incoming, response } = sender
      const received = incoming.socket.bytesRead
      if (incoming.complete) this.#senders.delete(response)
      else if (received - sender.received >= leastMovedBytes) {
        sender.received = received
        sender.since = now
      } else if (isCrowded && now - sender.since >= this.#deps.limits.crowdedReplyIdleMs) {
        this.#cutSender(sender)
      }
    }
  }

  #cutSender({ incoming, response }: Sender): void {
    this.#deps.observer?.onConnectionClosed?.('body-idle')
    this.#deps.log.debug(
      { address: peerAddress(incoming.socket) },
      'a connection was closed: its client sends too little of a body while others wait for its memory',
    )
    response.destroy()
  }

  #cut({ response, socket }: Watched, idleMs: number): void {
    this.#deps.observer?.onConnectionClosed?.('reply-idle')
    this.#deps.log.debug(
      { address: peerAddress(socket), idleMs: Math.round(idleMs) },
      'a connection was closed: its client takes nothing of a reply, or too little while others wait for its memory',
    )
    response.destroy()
  }

  #checkMs(): number {
    const { replyIdleMs, crowdedReplyIdleMs } = this.#deps.limits
    const shortest = Math.min(replyIdleMs, crowdedReplyIdleMs)
    return Math.min(Math.max(shortest / checksPerLimit, minCheckMs), maxCheckMs)
  }
}

/** The bytes that the kernel took: each write counts when all of it went. */
function takenFrom({ bytesWritten, writableLength }: Socket): number {
  return bytesWritten - writableLength
}

/** Looks at what was taken since the last time. */
function note(watched: Watched, now: number): void {
  const taken = takenFrom(watched.socket)
  // A reply with nothing to take waits for its source, not for its reader.
  const isStarved = watched.response.writableLength === 0
  if (taken !== watched.taken || isStarved) {
    watched.taken = taken
    watched.since = now
  }
  if (taken - watched.pacedTaken >= leastMovedBytes || isStarved) {
    watched.pacedTaken = taken
    watched.pacedSince = now
  }
}
