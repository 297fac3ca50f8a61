/**
 * A request of Node whose body comes in few pieces. Node's parser makes an object of each chunk, and a client may send chunks of one
 * byte: ten thousand of them come in one read of the socket. What comes in a turn of the event loop is joined before anybody hears
 * of it, and connections that send so many chunks are read one after the other, since parsing them takes milliseconds.
 */
import { IncomingMessage } from 'node:http'
import { TurnBudget } from '../../lib/turns/turn-budget.ts'
import { KeptPieces, largePieceBytes } from './kept-pieces.ts'
import type { ReadTurns } from './read-turns.ts'

/** Small pieces in one turn. Clients that write what they have at once come to a few dozen. */
const manyPieces = 1_024

/** Small pieces are counted by so many at a time, so that a body of fewer in a turn costs nothing. */
const countedPieces = 64

/** Of all connections with many pieces one is read in a turn. */
const crumbs = new TurnBudget({ maxBytes: 1 })

abstract class JoinedIncoming extends IncomingMessage {
  /** Came in this turn, or waits for its connection's turn to be read on. */
  #kept: KeptPieces | undefined
  #count = 0

  /** Counts the small pieces. A getter of the class, since the parser makes the instances. */
  protected abstract get reads(): Pick<ReadTurns, 'spend'>

  /** Called by the parser with each chunk, and with `null` at the end; returns whether more may come. */
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

  /** What came before the connection broke can still be read. */
  override destroy(error?: Error): this {
    this.#handOn()
    return super.destroy(error)
  }

  #endTurn(): void {
    const turn = this.#count < manyPieces ? undefined : crumbs.take(1)
    if (turn === undefined) this.#handOn()
    else void turn.then(() => this.#handOn())
  }

  /** The socket is read on when somebody takes what is handed on. */
  #handOn(): void {
    const kept = this.#kept
    if (kept === undefined) return
    this.#kept = undefined
    for (let piece = kept.take(); piece !== undefined; piece = kept.take()) super.push(piece)
  }
}

/** Returns the class for the requests of one server, whose small pieces count in `reads`. */
export function joinedIncomingFor(reads: Pick<ReadTurns, 'spend'>): typeof IncomingMessage {
  return class extends JoinedIncoming {
    protected override get reads(): Pick<ReadTurns, 'spend'> {
      return reads
    }
  }
}
