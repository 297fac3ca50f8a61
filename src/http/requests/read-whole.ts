const nothing = new Uint8Array()
/** Of a body that is not announced and comes in several pieces. */
const leastBytes = 4 * 1024

/**
 * The body in memory; its size is bounded by the route table. Pieces are copied as they arrive: a client may send a byte a piece,
 * and each piece that is kept costs a few hundred; joining megabytes at the end would hold up everybody else.
 */
export async function readWhole(
  body: AsyncIterable<Uint8Array>,
  announced: number | undefined,
): Promise<Uint8Array> {
  let whole: Uint8Array = nothing
  let received = 0
  for await (const piece of body) {
    const isAlone = received === 0 && piece.length === (announced ?? piece.length)
    if (isAlone) whole = piece
    else {
      const needed = received + piece.length
      if (needed > whole.length) whole = enlarge(whole, announced ?? Math.max(2 * needed, leastBytes))
      whole.set(piece, received)
    }
    received += piece.length
  }
  return whole.subarray(0, received)
}

function enlarge(bytes: Uint8Array, size: number): Uint8Array {
  const larger = Buffer.allocUnsafeSlow(size)
  larger.set(bytes)
  return larger
}
