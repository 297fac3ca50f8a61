/**
 * How much Node's parser does in one turn of the event loop. A read of 64 KiB holds ten thousand chunks of one byte, or hundreds of
 * requests, and costs up to 20 ms; a client can have such a read ready on each of its connections. Once a turn has spent its share,
 * the other connections of the same address are read in the next one, so that clients at other addresses come in between. The
 * connection that spent it rests meanwhile: the kernel would name it first again and again, and the others would never be read.
 */
import type { Socket } from 'node:net'
import { groupAddress } from '../lib/group-address.ts'
import { peerAddress } from './origin.ts'

/** Small pieces of bodies in one turn, about 6 ms. */
const maxPieces = 4_096
/** What a request costs the parser, in pieces. */
const piecesPerRequest = 10
/** What a URL or a token costs: parameters of a byte take longest, 1.6 ms for 16 KiB. What clients commonly send is not counted. */
const charactersPerPiece = 16
const longHead = 2_048

/** A connection that spent the share of a turn. */
interface Rest {
  /** It would be read if it did not rest: it has no other reason to be paused. */
  isWanted: boolean
}

/** The connections of one address. */
interface Group {
  readonly sockets: Set<Socket>
  /** In the order in which they go on. */
  readonly resting: Map<Socket, Rest>
  /** One of them spent the share of this turn. */
  hasSpent: boolean
}

export class ReadTurns {
  readonly #groups = new Map<string, Group>()
  readonly #groupOf = new WeakMap<Socket, Group>()
  /** Those where something rests, or spent the share of this turn. */
  readonly #busy = new Set<Group>()
  /** Until the end of this turn. */
  readonly #paused = new Set<Socket>()
  readonly #rested = new WeakSet<Socket>()
  #spent = 0
  #isScheduled = false

  /** Of connections that an HTTP parser reads, from their start. */
  add(socket: Socket): void {
    const address = groupAddress(peerAddress(socket))
    const group = this.#groups.get(address) ?? { sockets: new Set(), resting: new Map(), hasSpent: false }
    this.#groups.set(address, group)
    this.#groupOf.set(socket, group)
    group.sockets.add(socket)
    socket.once('close', () => {
      group.sockets.delete(socket)
      group.resting.delete(socket)
      this.#paused.delete(socket)
      if (group.sockets.size === 0) this.#groups.delete(address)
    })
  }

  /** Counts small pieces of a body that were parsed in this turn. */
  spend(socket: Socket, pieces: number): void {
    this.#spent += pieces
    this.#schedule()
    if (this.#spent >= maxPieces) this.#endReading(socket)
  }

  /** Counts a request that was parsed behind another in the same turn. */
  spendRequest(socket: Socket): void {
    this.spend(socket, piecesPerRequest)
  }

  /** Counts a request that is served in this turn, by the characters of its URL and its credentials. */
  spendHead(socket: Socket, characters: number): void {
    if (characters >= longHead) this.spend(socket, Math.ceil(characters / charactersPerPiece))
  }

  #endReading(socket: Socket): void {
    const group = this.#groupOf.get(socket)
    if (group === undefined) return
    // Once in a turn: a read can hold thousands of requests, and an address thousands of connections.
    if (!group.hasSpent) {
      group.hasSpent = true
      this.#busy.add(group)
      this.#pauseOthers(group, socket)
    }
    if (!socket.destroyed && !group.resting.has(socket)) this.#rest(group, socket)
  }

  #pauseOthers({ sockets }: Group, socket: Socket): void {
    for (const other of sockets) {
      // What is paused already has a reason of its own, and is resumed by it.
      if (other === socket || other.isPaused()) continue
      // A readiness that the kernel has reported for this turn is dropped too.
      other.pause()
      this.#paused.add(other)
    }
  }

  #rest(group: Group, socket: Socket): void {
    group.resting.set(socket, { isWanted: !socket.isPaused() })
    socket.pause()
    if (this.#rested.has(socket)) return
    this.#rested.add(socket)
    // Whoever takes its body, or answers its request, does not know that it rests.
    socket.on('resume', () => {
      const rest = group.resting.get(socket)
      if (rest === undefined) return
      rest.isWanted = true
      socket.pause()
    })
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => this.#endTurn())
  }

  #endTurn(): void {
    this.#isScheduled = false
    this.#spent = 0
    for (const socket of this.#paused) socket.resume()
    this.#paused.clear()
    for (const group of this.#busy) {
      // One goes on after each turn that had time for all the others.
      if (!group.hasSpent) releaseFirst(group)
      group.hasSpent = false
      if (group.resting.size === 0) this.#busy.delete(group)
    }
    if (this.#busy.size > 0) this.#schedule()
  }
}

function releaseFirst({ resting }: Group): void {
  for (const [socket, { isWanted }] of resting) {
    resting.delete(socket)
    if (isWanted) socket.resume()
    return
  }
}
