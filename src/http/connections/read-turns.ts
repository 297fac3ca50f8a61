/**
 * Limits the work of Node's parser in one turn of the event loop. A read of 64 KiB can hold ten thousand chunks of one
 * byte, or hundreds of requests, and costs up to 20 ms; a client can have such a read ready on each of its connections.
 * Once a turn has spent its share, the other connections of the same address are read in the next turn, so that clients
 * at other addresses are read in between. The connection that spent the share rests until a turn has had time for all
 * others: the kernel reports it first in each turn, and the others would never be read.
 */
import type { Socket } from 'node:net'
import { groupAddress } from '../../lib/group-address.ts'
import { peerAddress } from '../requests/origin.ts'

/** The share of a turn, in small pieces of bodies: about 6 ms. */
const maxPieces = 4_096
/** The cost of a request in the parser, in pieces. */
const piecesPerRequest = 10
/**
 * The characters of a URL, a token, a list or a cookie that cost as much as one piece. Parameters of one byte each take
 * longest: 1.6 ms for 16 KiB.
 */
const charactersPerPiece = 16
/** The length from which a head is counted; common clients send less. */
const longHead = 2_048

/** The connections of one address. */
interface Group {
  readonly sockets: Set<Socket>
  /**
   * The connections that spent the share of a turn, in the order in which they continue. `false`: the connection is
   * also paused for another reason, which will resume it.
   */
  readonly resting: Map<Socket, boolean>
  /** Whether one of them spent the share of this turn. */
  hasSpent: boolean
}

export class ReadTurns {
  readonly #groups = new Map<string, Group>()
  readonly #groupOf = new WeakMap<Socket, Group>()
  /** The groups in which a connection rests, or spent the share of this turn. */
  readonly #busy = new Set<Group>()
  /** The connections that are paused until the end of this turn. */
  readonly #paused = new Set<Socket>()
  /** The connections that have rested at least once, and so have the `resume` listener. */
  readonly #rested = new WeakSet<Socket>()
  #spent = 0
  #isScheduled = false

  /** Adds a new connection that an HTTP parser is about to read. */
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

  /** Counts a request that was parsed after another in the same turn. */
  spendRequest(socket: Socket): void {
    this.spend(socket, piecesPerRequest)
  }

  /** Counts a request that is served in this turn, by the length of its URL and of its header values. */
  spendHead(socket: Socket, characters: number): void {
    if (characters >= longHead) this.spend(socket, Math.ceil(characters / charactersPerPiece))
  }

  #endReading(socket: Socket): void {
    const group = this.#groupOf.get(socket)
    if (group === undefined) return
    // Once per turn: a read can hold thousands of requests, and an address can have thousands of connections.
    if (!group.hasSpent) {
      group.hasSpent = true
      this.#busy.add(group)
      this.#pauseOthers(group, socket)
    }
    if (!socket.destroyed && !group.resting.has(socket)) this.#rest(group, socket)
  }

  #pauseOthers({ sockets }: Group, socket: Socket): void {
    for (const other of sockets) {
      // A connection that is already paused has another reason, which will resume it.
      if (other === socket || other.isPaused()) continue
      // This also discards a readable event that the kernel has reported for this turn.
      other.pause()
      this.#paused.add(other)
    }
  }

  #rest(group: Group, socket: Socket): void {
    group.resting.set(socket, !socket.isPaused())
    socket.pause()
    if (this.#rested.has(socket)) return
    this.#rested.add(socket)
    // Node resumes the socket when its body is read or its request is answered. Node's own listener must run first, so
    // this one is not added with the connection.
    socket.on('resume', () => {
      if (!group.resting.has(socket)) return
      group.resting.set(socket, true)
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
      // One connection continues after each turn that had time for all others.
      if (!group.hasSpent) releaseFirst(group)
      group.hasSpent = false
      if (group.resting.size === 0) this.#busy.delete(group)
    }
    if (this.#busy.size > 0) this.#schedule()
  }
}

function releaseFirst({ resting }: Group): void {
  const [first] = resting
  if (first === undefined) return
  const [socket, isOnlyResting] = first
  resting.delete(socket)
  if (isOnlyResting) socket.resume()
}
