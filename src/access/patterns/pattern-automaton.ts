/**
 * Matches names against a pattern in one pass: each character is read once and updates the set of places in the pattern
 * that the name may have reached, as the bits of a few words. There is no second try, so the time is the length of the
 * name times the number of words, whatever the pattern says.
 *
 * Place `i` is reached when the first `i` characters of the pattern that stand for themselves are matched. A place stays
 * reached at a `*` for every character but `/`, and at a `**` for every character; after a `/` a `**` reaches the place behind it.
 */

/** What is read of a text. */
export interface Characters {
  readonly length: number
  charCodeAt(index: number): number
}

interface Places {
  /** The character that leads from each place to the next; `undefined`: none does. */
  readonly steps: (number | undefined)[]
  /** Where a `*` stands. */
  readonly stars: Set<number>
  /** Where a `**` stands; the place behind it is where a component starts. */
  readonly open: Set<number>
}

const slash = 47
const bitsPerWord = 32
const asciiCharacters = 128

export class PatternAutomaton {
  /** Of one set of places; the cost of one character. */
  readonly words: number
  readonly #last: number
  /** By character the row of `#steps`; 0 for those that the pattern does not name. */
  readonly #rows = new Uint8Array(asciiCharacters)
  /** For each row the places that the character leads on from. */
  readonly #steps: Int32Array
  /** Places that stay reached, for a `/` and for all else. */
  readonly #staysAtSlash: Int32Array
  readonly #stays: Int32Array
  readonly #isOpen: boolean
  /** Used by one call at a time. */
  readonly #reached: Int32Array

  /** `pattern` as `parseRepositoryPattern` takes it, without runs of `**` and from the start of a component. */
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

  /** Whether the text from `start` on, where a component starts, is matched to its end. */
  matches(text: Characters, start = 0): boolean {
    return this.words === 1 ? this.#matchesInOneWord(text, start) : this.#matchesInWords(text, start)
  }

  /** The same as below without the loops; most patterns are short. */
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

  /** Whether any place is reached after the character. */
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

  /** A component starts: what a `**` stands for may end here. */
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
      // At the end it stands for one component at least.
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
