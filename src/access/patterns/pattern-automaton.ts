/**
 * Matches names against a pattern in one pass: each character is read once and updates the set of places in the pattern that the
 * name may have reached, stored as the bits of a few words. The matcher never backtracks, so for any pattern the time is the
 * length of the name times the number of words.
 *
 * Place `i` is reached when the first `i` literal characters of the pattern are matched. A place with a `*` stays reached on
 * every character except `/`, a place with a `**` on every character; after a `/`, a `**` also reaches the next place.
 */

/** The part of a string that the matcher reads. */
export interface Characters {
  readonly length: number
  charCodeAt(index: number): number
}

interface Places {
  /** The character that leads from each place to the next; `undefined` if no character does. */
  readonly steps: (number | undefined)[]
  /** The places with a `*`. */
  readonly stars: Set<number>
  /** The places with a `**`; a component starts at the next place. */
  readonly open: Set<number>
}

const slash = 47
const bitsPerWord = 32
const asciiCharacters = 128

export class PatternAutomaton {
  /** The number of words in a set of places, which is the cost of matching one character. */
  readonly words: number
  readonly #last: number
  /** The row of `#steps` for each character; 0 for characters that do not occur in the pattern. */
  readonly #rows = new Uint8Array(asciiCharacters)
  /** For each row, the places from which the character leads to the next place. */
  readonly #steps: Int32Array
  /** The places that stay reached on a `/`; `#stays` has those for all other characters. */
  readonly #staysAtSlash: Int32Array
  readonly #stays: Int32Array
  readonly #isOpen: boolean
  /** Scratch space for one call at a time. */
  readonly #reached: Int32Array

  /**
   * `pattern` is a pattern that `parseRepositoryPattern` accepts, or its end from the start of a component, without runs of `**`.
   */
  constructor(pattern: string) {
    const { steps, stars, open } = placesOf(pattern)
    this.#last = steps.length
    this.words = Math.ceil((steps.length + 1) / bitsPerWord)
    const characters = [...new Set(steps.filter((step) => step !== undefined))]
    for (const [index, character] of characters.entries()) this.#rows[character] = index + 1
    this.#steps = new Int32Array((characters.length + 1) * this.words)
    for (const [place, step] of steps.entries()) {
      if (step !== undefined) setBit(this.#steps, (this.#rows[step] ?? 0) * this.words * bitsPerWord + place)
    }
    this.#stays = new Int32Array(this.words)
    this.#staysAtSlash = new Int32Array(this.words)
    for (const place of [...stars, ...open]) setBit(this.#stays, place)
    for (const place of open) setBit(this.#staysAtSlash, place)
    this.#isOpen = open.size > 0
    this.#reached = new Int32Array(this.words)
  }

  /** Whether the pattern matches the text from `start`, which must be the start of a component, to its end. */
  matches(text: Characters, start = 0): boolean {
    return this.words === 1 ? this.#matchesInOneWord(text, start) : this.#matchesInWords(text, start)
  }

  /** Like `#matchesInWords`, but without its loops over words: most patterns fit in one word. */
  #matchesInOneWord(text: Characters, start: number): boolean {
    const rows = this.#rows
    const steps = this.#steps
    const stays = this.#stays[0] ?? 0
    const open = this.#staysAtSlash[0] ?? 0
    let reached = 1 | ((open & 1) << 1)
    for (let at = start; at < text.length && reached !== 0; at++) {
      const character = text.charCodeAt(at)
      const moved = (reached & (steps[rows[character] ?? 0] ?? 0)) << 1
      if (character === slash) {
        reached = moved | (reached & open)
        reached |= (reached & open) << 1
      } else reached = moved | (reached & stays)
    }
    return (reached & (1 << this.#last)) !== 0
  }

  #matchesInWords(text: Characters, start: number): boolean {
    const reached = this.#reached.fill(0)
    reached[0] = 1
    if (this.#isOpen) this.#enterComponent(reached)
    for (let at = start; at < text.length; at++) {
      if (!this.#read(text.charCodeAt(at), reached)) return false
    }
    return ((reached[this.#last >> 5] ?? 0) & (1 << (this.#last & 31))) !== 0
  }

  /** Reads one character. Returns whether any place is still reached. */
  #read(character: number, reached: Int32Array): boolean {
    const row = (this.#rows[character] ?? 0) * this.words
    const stays = character === slash ? this.#staysAtSlash : this.#stays
    let carried = 0
    let any = 0
    for (let word = 0; word < this.words; word++) {
      const before = reached[word] ?? 0
      const moving = before & (this.#steps[row + word] ?? 0)
      const after = (moving << 1) | carried | (before & (stays[word] ?? 0))
      carried = moving >>> (bitsPerWord - 1)
      reached[word] = after
      any |= after
    }
    if (character === slash && this.#isOpen) this.#enterComponent(reached)
    return any !== 0
  }

  /** Handles the start of a component, where a `**` may stop matching. */
  #enterComponent(reached: Int32Array): void {
    let carried = 0
    for (let word = 0; word < this.words; word++) {
      const open = (reached[word] ?? 0) & (this.#staysAtSlash[word] ?? 0)
      reached[word] = (reached[word] ?? 0) | (open << 1) | carried
      carried = open >>> (bitsPerWord - 1)
    }
  }
}

function placesOf(pattern: string): Places {
  const steps: (number | undefined)[] = []
  const stars = new Set<number>()
  const open = new Set<number>()
  const components = pattern.split('/')
  for (const [index, component] of components.entries()) {
    const isLast = index === components.length - 1
    if (component === '**') {
      open.add(steps.length)
      steps.push(undefined)
      // At the end, `**` matches at least one component.
      if (isLast) stars.add(steps.length)
      continue
    }
    for (const character of component) {
      if (character === '*') stars.add(steps.length)
      else steps.push(character.charCodeAt(0))
    }
    if (!isLast) steps.push(slash)
  }
  return { steps, stars, open }
}

function setBit(words: Int32Array, bit: number): void {
  words[bit >> 5] = (words[bit >> 5] ?? 0) | (1 << (bit & 31))
}
