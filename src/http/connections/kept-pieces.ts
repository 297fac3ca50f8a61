/**
 * Pieces of a request body that nobody has taken yet. A client chooses how large its pieces are, and a piece of one byte costs us a
 * few hundred: small ones are joined, so that the cost of what is kept follows from its bytes.
 */

/** Pieces of this size cost little beside their bytes, and are not copied. */
export const largePieceBytes = 4 * 1024
const blockBytes = 16 * 1024

export class KeptPieces {
  readonly #pieces: Uint8Array[] = []
  /** The last piece while it is small and alone: most bodies have one piece, which is not copied. */
  #small: Uint8Array | undefined
  /** Small pieces, behind all others. */
  #block: Buffer | undefined
  #blockUsed = 0
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  keep(piece: Uint8Array): void {
    this.#bytes += piece.length
    if (piece.length >= largePieceBytes) {
      this.#endBlock()
      this.#pieces.push(piece)
    } else if (this.#block === undefined && this.#small === undefined) this.#small = piece
    else this.#join(piece)
  }

  /** The oldest; `undefined` when nothing is kept. */
  take(): Uint8Array | undefined {
    if (this.#pieces.length === 0) this.#endBlock()
    const piece = this.#pieces.shift()
    if (piece !== undefined) this.#bytes -= piece.length
    return piece
  }

  #join(piece: Uint8Array): void {
    if (this.#small !== undefined) {
      this.#copy(this.#small)
      this.#small = undefined
    }
    this.#copy(piece)
  }

  #copy(piece: Uint8Array): void {
    if (this.#blockUsed + piece.length > blockBytes) this.#endBlock()
    this.#block ??= Buffer.allocUnsafeSlow(blockBytes)
    this.#block.set(piece, this.#blockUsed)
    this.#blockUsed += piece.length
  }

  #endBlock(): void {
    const last = this.#block?.subarray(0, this.#blockUsed) ?? this.#small
    if (last !== undefined) this.#pieces.push(last)
    this.#small = undefined
    this.#block = undefined
    this.#blockUsed = 0
  }
}
