/**
 * The pieces of a request body that its reader has not taken yet. A client chooses the size of its pieces, and a piece
 * of one byte costs a few hundred: small pieces are joined, so that memory depends only on the number of bytes.
 */

/** Pieces of at least this size have little overhead, and are not copied. */
export const largePieceBytes = 4 * 1024
const blockBytes = 16 * 1024

export class KeptPieces {
  readonly #pieces: Uint8Array[] = []
  /** The last piece while it is small and alone. Most bodies have one piece, which is then not copied. */
  #small: Uint8Array | undefined
  /** Small pieces, joined; they follow all others. */
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

  /** Returns the oldest piece, or `undefined` if there is none. */
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
