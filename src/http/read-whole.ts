/**
 * The body in memory; its size is bounded by the route table. Pieces of a body with an announced length are copied as they
 * arrive, since joining megabytes at the end would hold up everybody else.
 */
export async function readWhole(
  body: AsyncIterable<Uint8Array>,
  announced: number | undefined,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let whole: Buffer | undefined
  let received = 0
  for await (const piece of body) {
    if (announced === undefined || piece.length === announced) pieces.push(piece)
    else (whole ??= Buffer.allocUnsafeSlow(announced)).set(piece, received)
    received += piece.length
  }
  if (whole !== undefined) return whole.subarray(0, received)
  const [first] = pieces
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces)
}
