import type { Turns } from '../../lib/turns/turns.ts'

const nothing = new Uint8Array()
/** The first allocation for a body that is not announced and arrives in several pieces. */
const leastBytes = 4 * 1024

/**
 * Reads a body into memory; the route table limits its size. Pieces are copied as they arrive: a client may send one
 * byte per piece, and each piece that is kept costs a few hundred bytes. Joining megabytes at the end would delay other
 * requests.
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

/**
 * As `readWhole`, for a body that is parsed at once: the promise resolves in a turn of the event loop that has time for it. Parsing
 * 64 KiB takes up to 10 ms, and the last bytes of a thousand bodies can arrive in one turn.
 */
export async function readToParse(
  body: AsyncIterable<Uint8Array>,
  announced: number | undefined,
  turns: Turns,
): Promise<Uint8Array> {
  const whole = await readWhole(body, announced)
  await turns.pass()
  return whole
}

function enlarge(bytes: Uint8Array, size: number): Uint8Array {
  const larger = Buffer.allocUnsafeSlow(size)
  larger.set(bytes)
  return larger
}
