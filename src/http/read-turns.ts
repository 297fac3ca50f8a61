/**
 * How much Node's parser does in one turn of the event loop. A read of 64 KiB holds ten thousand chunks of one byte, or hundreds of
 * requests, and costs up to 20 ms; a client can have such a read ready on each of its connections. Once a turn has spent its share,
 * the other connections of the same address are read in the next one, so that clients at other addresses come in between.
 */
import type { Socket } from 'node:net'
import { groupAddress } from '../lib/group-address.ts'
import { peerAddress } from './origin.ts'

/** Small pieces of bodies in one turn, about 6 ms. */
const maxPieces = 4_096
/** What a request costs the parser, in pieces. */
const piecesPerRequest = 10

export class ReadTurns {
  readonly #byAddress = new Map<string, Set<Socket>>()
  readonly #paused = new Set<Socket>()
  #spent = 0
  #isScheduled = false

  /** Of connections that an HTTP parser reads, from their start. */
  add(socket: Socket): void {
    const address = groupAddress(peerAddress(socket))
    const sockets = this.#byAddress.get(address) ?? new Set()
    this.#byAddress.set(address, sockets.add(socket))
    socket.once('close', () => {
      sockets.delete(socket)
      this.#paused.delete(socket)
      if (sockets.size === 0) this.#byAddress.delete(address)
    })
  }

  /** Counts small pieces of a body that were parsed in this turn. */
  spend(socket: Socket, pieces: number): void {
    this.#spent += pieces
    this.#schedule()
    if (this.#spent >= maxPieces) this.#pauseOthers(socket)
  }

  /** Counts a request that was parsed behind another in the same turn. */
  spendRequest(socket: Socket): void {
    this.spend(socket, piecesPerRequest)
  }

  #pauseOthers(socket: Socket): void {
    const sockets = this.#byAddress.get(groupAddress(peerAddress(socket))) ?? []
    for (const other of sockets) {
      // What is paused already has a reason of its own, and is resumed by it.
      if (other === socket || other.isPaused()) continue
      // A readiness that the kernel has reported for this turn is dropped too.
      other.pause()
      this.#paused.add(other)
    }
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
  }
}
