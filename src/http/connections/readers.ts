/**
 * Tracks the clients that read replies, and the memory that they occupy. A reply that is made in memory waits for room
 * before it is made. Every reply that its client does not read at once is watched, streamed or not, and its connection
 * is closed if the client reads nothing for too long. Bodies that are read into memory count too. No other file knows
 * either limit.
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
  /** The time in milliseconds, on any clock that never goes back. */
  readonly now?: () => number
}

/** The memory of a request and its reply. */
export interface ReplyMemory {
  /**
   * The party that the memory is counted against: the account, the owner of a robot, or the address of a client without
   * an account.
   */
  readonly party: string
  /** The bytes reserved before the reply is made or the body is read. */
  reservedBytes: number
  /** The turn of the event loop in which work on the reply began; `undefined` once the size of the reply is known. */
  begunInTurn?: number | undefined
}

interface Holders {
  count: number
  /** The party of the first holder. */
  readonly party: string
}

interface Watched {
  readonly response: ServerResponse
  readonly socket: Socket
  readonly holdsMemory: boolean
  /** The bytes that the client had read at the last check; `since` is when this number last changed. */
  taken: number
  since: number
  /** The same two values after the last time that the client read at least `leastMovedBytes`. */
  pacedTaken: number
  pacedSince: number
}

/** A client that sends a body into memory that is reserved for it. */
interface Sender {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  /** The bytes received when the client last completed `leastMovedBytes`, and the time of that. */
  received: number
  since: number
}

/**
 * The most bytes of replies made in one turn of the event loop. SQLite answers at once, so many lists could otherwise be made in
 * one turn; the longest page of tags is 1.3 MB.
 */
const maxMadePerTurn = 1024 * 1024
/** The assumed size of a reply whose size is known only once it is made; most lists are smaller. */
const expectedBytes = 512 * 1024
/**
 * The most bytes written in one turn. The kernel accepts the first megabytes of each reply without waiting, so without this limit
 * other requests would never get a turn.
 */
const maxWrittenPerTurn = 4 * 1024 * 1024

/** Each party may use a quarter of the memory: only four parties together can make others wait. */
const sharesOfMemory = 4

/**
 * The bytes that a client whose memory other requests wait for must read or send within `crowdedReplyIdleMs`. A client
 * with 100 KB/s moves three times as much.
 */
const leastMovedBytes = 1024 * 1024

/** How often clients are checked: they exceed their limit by at most this much. */
const maxCheckMs = 5_000
const minCheckMs = 10
const checksPerLimit = 4

export class Readers {
  readonly #deps: ReadersDeps
  readonly #now: () => number
  readonly #memory: ByteBudget
  readonly #making = new TurnBudget({ maxBytes: maxMadePerTurn })
  readonly #writing = new TurnBudget({ maxBytes: maxWrittenPerTurn })
  /** How many replies hold the same bytes: a buffer that a cache and many clients share counts once. */
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

  /**
   * The bytes of large manifests that are arriving, and of large replies that are being made or that clients have not
   * read yet.
   */
  get heldBytes(): number {
    return this.#memory.takenBytes
  }

  /** The number of requests that wait for room in memory. */
  get waiting(): number {
    return this.#memory.waiting
  }

  /**
   * Reserves bytes for a reply. Resolves once there is room, and once other large replies of this turn of the event
   * loop leave time to make it. Small replies never wait. Rejects with the reason of the signal, which is requested
   * only if the reply has to wait.
   */
  async reserve(reply: ReplyMemory, bytes: number, signalOf: () => AbortSignal): Promise<void> {
    if (bytes < smallReplyBytes) return
    await this.reserveBody(reply, bytes, signalOf)
    await this.#making.take(Math.min(bytes, expectedBytes))
    reply.begunInTurn = this.#making.turn
  }

  /** Like `reserve`, but for the body of a request, which takes as long to arrive as its client likes. */
  async reserveBody(request: ReplyMemory, bytes: number, signalOf: () => AbortSignal): Promise<void> {
    if (bytes < smallReplyBytes) return
    const { party } = request
    if (!this.#memory.tryTake(bytes, party)) await this.#memory.wait(bytes, signalOf(), party)
    request.reservedBytes += bytes
  }

  /**
   * Called before this many bytes of a reply in memory are written. Returns `undefined` if they may be written now;
   * otherwise a promise that resolves when they may be written.
   */
  beginWrite(bytes: number): Promise<void> | undefined {
    return this.#writing.take(bytes)
  }

  /** Releases the memory that was reserved for a reply; `actual` is the size of the reply in bytes. */
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

  /** Counts the bytes of a finished reply instead of the bytes reserved for it, until the result is disposed. */
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
   * Closes the connection if its client reads nothing for too long, from now until the reply is closed. If the reply
   * holds memory that other requests wait for, reading too little is enough.
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
   * Closes the connection of a client that sends too little of a body while other requests wait for its memory, until
   * the body is complete.
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

  /**
   * Checks every client once. A timer calls it, and stops when it finds none: most clients have disconnected before the first
   * check.
   */
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
      'a connection was closed: its client sends too little of a body while other requests wait for its memory',
    )
    response.destroy()
  }

  #cut({ response, socket }: Watched, idleMs: number): void {
    this.#deps.observer?.onConnectionClosed?.('reply-idle')
    this.#deps.log.debug(
      { address: peerAddress(socket), idleMs: Math.round(idleMs) },
      'a connection was closed: its client reads nothing of a reply, or too little while other requests wait for its memory',
    )
    response.destroy()
  }

  #checkMs(): number {
    const { replyIdleMs, crowdedReplyIdleMs } = this.#deps.limits
    const shortest = Math.min(replyIdleMs, crowdedReplyIdleMs)
    return Math.min(Math.max(shortest / checksPerLimit, minCheckMs), maxCheckMs)
  }
}

/** Returns the number of bytes that the kernel accepted: each write counts once all of it is accepted. */
function takenFrom({ bytesWritten, writableLength }: Socket): number {
  return bytesWritten - writableLength
}

/** Records the bytes that were read since the last check. */
function note(watched: Watched, now: number): void {
  const taken = takenFrom(watched.socket)
  // A reply with nothing to write waits for its source, not for its client.
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
