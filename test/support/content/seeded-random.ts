/** Random choices that can be repeated with a printed seed; not for secrets. */
export interface SeededRandom {
  /** Returns an integer from `min` to `max`, both inclusive. */
  integer(min: number, max: number): number
  /** Returns true with this probability, from 0 to 1. */
  chance(probability: number): boolean
  pick<T>(choices: readonly T[]): T
  bytes(size: number): Buffer
  /** Returns a separate generator, so that the draws of one user do not change those of another. */
  fork(): SeededRandom
}

/** Returns the seed of this run: `LADING_TEST_SEED` if set, otherwise a new one. Print it. */
export function chooseSeed(): number {
  const given = process.env['LADING_TEST_SEED']
  return given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given)
}

export function createRandom(seed: number): SeededRandom {
  const next = mulberry32(seed)
  const integer = (min: number, max: number): number => min + (next() % (max - min + 1))
  return {
    integer,
    chance: (probability) => next() / 2 ** 32 < probability,
    pick(choices) {
      const chosen = choices[integer(0, choices.length - 1)]
      if (chosen === undefined) throw new Error('nothing to pick from')
      return chosen
    },
    bytes(size) {
      const words = Uint32Array.from({ length: Math.ceil(size / 4) }, next)
      return Buffer.from(words.buffer, 0, size)
    },
    fork: () => createRandom(next()),
  }
}

/** Tommy Ettinger's mulberry32: 32 bits of state, whole numbers from 0 to 2^32 - 1. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}
