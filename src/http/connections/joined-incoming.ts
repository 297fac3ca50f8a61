/**
 * A Node request whose body arrives in few pieces. Node's parser creates an object for each chunk, and a client may
 * send chunks of one byte: one read of the socket can hold ten thousand. Chunks that arrive in one turn of the event
 * loop are joined before the reader sees them. Connections that send so many chunks are read one after the other,
 * because parsing them takes milliseconds.
 */
import { IncomingMessage } from 'node:http'
import { TurnBudget } from '../../lib/turns/turn-budget.ts'
import { KeptPieces, largePieceBytes } from './kept-pieces.ts'
import type { ReadTurns } from './read-turns.ts'

/**
 * The number of small pieces in one turn that makes a connection costly. Clients that write all their data at once
 * reach a few dozen.
 */
const manyPieces = 1_024

/** Small pieces are counted in groups of this size, so that a body with fewer in a turn costs nothing. */
const countedPieces = 64

/** Lets one of the costly connections be read in a turn. */
const costlyReads = new TurnBudget({ maxBytes: 1 })

abstract class JoinedIncoming extends IncomingMessage {
  /** The pieces that arrived in this turn, or that wait until it is their connection's turn to be read. */
  #kept: KeptPieces | undefined
  #count = 0

  /** Counts the small pieces. A getter of the class, because the parser creates the instances. */
  protected abstract get reads(): Pick<ReadTurns, 'spend'>

  /** Called by the parser with each chunk, and with `null` at the end. Returns whether the parser may continue. */
  override push(piece: Uint8Array | null): boolean {
    if (piece === null || (piece.length >= largePieceBytes && this.#kept === undefined)) {
      this.#handOn()
      return super.push(piece)
    }
    if (this.#kept === undefined) {
      this.#kept = new KeptPieces()
      this.#count = 0
      setImmediate(() => this.#endTurn())
    }
    this.#kept.keep(piece)
    this.#count += 1
    if (this.#count % countedPieces === 0) this.reads.spend(this.socket, countedPieces)
    return this.#count < manyPieces && this.readableLength + this.#kept.bytes < this.readableHighWaterMark
  }

  /** Passes on the pieces that arrived before the connection broke, so that they can still be read. */
  override destroy(error?: Error): this {
    this.#handOn()
    return super.destroy(error)
  }

  #endTurn(): void {
    const turn = this.#count < manyPieces ? undefined : costlyReads.take(1)
    if (turn === undefined) this.#handOn()
    else void turn.then(() => this.#handOn())
  }

  /** Passes the pieces to the reader. The socket is read again once the reader takes them. */
  #handOn(): void {
    const kept = this.#kept
    if (kept === undefined) return
    this.#kept = undefined
    for (let piece = kept.take(); piece !== undefined; piece = kept.take()) super.push(piece)
  }
}

/** Returns the request class of one server, whose small pieces are counted in `reads`. */
export function joinedIncomingFor(reads: Pick<ReadTurns, 'spend'>): typeof IncomingMessage {
  return class extends JoinedIncoming {
    protected override get reads(): Pick<ReadTurns, 'spend'> {
      return reads
    }
  }
}
