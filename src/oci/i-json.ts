/**
 * @module A strict reader of I-JSON (RFC 7493) from bytes. It refuses everything that two readers could understand differently:
 * bytes that are not UTF-8, a byte order mark, names that occur twice in an object, lone surrogates. Depth and the number of
 * values are bounded, time is linear in the size, and large documents can be read in steps. Objects inherit nothing, so
 * `__proto__` and `constructor` are ordinary names.
 */
import type { Steps } from '../lib/turns/steps.ts'
import { IJsonError } from './i-json-error.ts'
import { decodeUtf8 } from './utf8.ts'
import { quote } from './quote.ts'

/** Deep enough for any manifest or config, shallow enough for recursive readers. */
export const maxDepth = 64
/** Bounds memory: the smallest value takes two bytes in the text and several dozen in memory. */
export const maxValues = 1_000_000
/** The most names in one object: above that, growing the object takes most of the time. */
export const maxNames = 16_384

/**
 * Reads in steps of a few milliseconds each. Throws `IJsonError`, which names the byte and the JSON path. Reads numbers like
 * `JSON.parse`.
 */
export function* readIJson(bytes: Uint8Array): Steps<unknown> {
  const isLarge = bytes.length > charactersPerStep
  if (isLarge) yield
  const text = decodeUtf8(bytes)
  if (isLarge) yield
  return yield* new IJsonReader(text).readDocument()
}

const valuesPerStep = 4_096
const charactersPerStep = 256 * 1024

// Not `Object.create(null)`: that makes a hash table per object, several times the memory.
const JsonObject = function JsonObject() {} as unknown as new () => Record<string, unknown>
JsonObject.prototype = Object.freeze(Object.create(null))

const tab = 0x09
const lineFeed = 0x0a
const carriageReturn = 0x0d
const space = 0x20
const doubleQuote = 0x22
const plus = 0x2b
const comma = 0x2c
const minus = 0x2d
const dot = 0x2e
const zero = 0x30
const nine = 0x39
const colon = 0x3a
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const lowerE = 0x65
const lowerF = 0x66
const lowerN = 0x6e
const lowerT = 0x74
const openBrace = 0x7b
const closeBrace = 0x7d
const byteOrderMark = 0xfeff

const hexDigitsPattern = /^[0-9a-fA-F]{4}$/

class IJsonReader {
  readonly #text: string
  readonly #path: (string | number)[] = []
  #position = 0
  #depth = 0
  #values = 0
  /** Where the current string begins. */
  #hasEscapes = false
  /** Where the current step began. */
  #stepPosition = 0
  #stepValues = 0

  constructor(text: string) {
    this.#text = text
  }

  *readDocument(): Steps<unknown> {
    if (this.#peek() === byteOrderMark) this.#fail('starts with a byte order mark; save it without one')
    const value = this.#isShort() ? this.#readAtOnce() : yield* this.#readInSteps()
    this.#skipSpace()
    if (this.#position < this.#text.length) this.#fail('goes on after its end')
    return value
  }

  /** Whether the next value is neither an object, an array nor a long string: a step would cost more than reading it. */
  #isShort(): boolean {
    this.#skipSpace()
    if (++this.#values > maxValues) this.#fail(`holds more than ${maxValues} values`)
    const character = this.#peek()
    if (character === doubleQuote) return this.#isShortString()
    return character !== openBrace && character !== openBracket
  }

  /** Whether the string that begins here certainly fits into one step. */
  #isShortString(): boolean {
    if (this.#text.length <= charactersPerStep) return true
    const quoted = this.#text.indexOf('"', this.#position + 1)
    const isEscaped = this.#text.charCodeAt(quoted - 1) === backslash
    return quoted !== -1 && quoted - this.#position < charactersPerStep && !isEscaped
  }

  *#readInSteps(): Steps<unknown> {
    const character = this.#peek()
    if (character === openBrace) return yield* this.#readObject()
    if (character === openBracket) return yield* this.#readArray()
    return yield* this.#readLongString()
  }

  *#readLongString(): Steps<string> {
    const opening = this.#beginString()
    while (!this.#scanString(opening)) yield
    return this.#endString(opening)
  }

  #readAtOnce(): unknown {
    switch (this.#peek()) {
      case doubleQuote:
        return this.#readString()
      case lowerT:
        return this.#readWord('true', true)
      case lowerF:
        return this.#readWord('false', false)
      case lowerN:
        return this.#readWord('null', null)
      default:
        return this.#readNumber()
    }
  }

  *#readObject(): Steps<Record<string, unknown>> {
    const object = new JsonObject()
    this.#enter()
    if (this.#isEmptyUntil(closeBrace)) return object
    for (let names = 1; ; names++) {
      if (names > maxNames) this.#fail(`holds more than ${maxNames} names in one object`)
      const start = this.#beginName()
      const name = this.#isShortString() ? this.#readString() : yield* this.#readLongString()
      this.#endName(object, name, start)
      object[name] = this.#isShort() ? this.#readAtOnce() : yield* this.#readInSteps()
      if (this.#isStepOver()) yield
      if (this.#isLast(closeBrace)) return object
      this.#skipSpace()
    }
  }

  #isStepOver(): boolean {
    const isOver =
      this.#values - this.#stepValues >= valuesPerStep ||
      this.#position - this.#stepPosition >= charactersPerStep
    if (!isOver) return false
    this.#stepValues = this.#values
    this.#stepPosition = this.#position
    return true
  }

  #beginName(): number {
    this.#path.length = this.#depth - 1
    if (this.#peek() !== doubleQuote) this.#fail('a name in double quotes is expected here')
    return this.#position
  }

  /** Moves from the end of the name past the colon; the name began at `start`. */
  #endName(object: Record<string, unknown>, name: string, start: number): void {
    if (name in object) this.#fail(`the name ${quote(name)} occurs twice in one object`, start)
    this.#skipSpace()
    if (this.#peek() !== colon) this.#fail(`":" is expected after the name ${quote(name)}`)
    this.#position++
    this.#path[this.#depth - 1] = name
  }

  *#readArray(): Steps<unknown[]> {
    const array: unknown[] = []
    this.#enter()
    if (this.#isEmptyUntil(closeBracket)) return array
    for (;;) {
      this.#path[this.#depth - 1] = array.length
      array.push(this.#isShort() ? this.#readAtOnce() : yield* this.#readInSteps())
      if (this.#isStepOver()) yield
      if (this.#isLast(closeBracket)) return array
    }
  }

  #enter(): void {
    if (++this.#depth > maxDepth) this.#fail(`is nested deeper than ${maxDepth} levels`)
    this.#position++
    this.#path.length = this.#depth - 1
    this.#skipSpace()
  }

  #isEmptyUntil(close: number): boolean {
    if (this.#peek() !== close) return false
    this.#leave()
    return true
  }

  /** Reads what follows a value: `true` after the closing bracket, `false` after a comma. */
  #isLast(close: number): boolean {
    this.#skipSpace()
    const character = this.#peek()
    if (character === close) {
      this.#leave()
      return true
    }
    if (character !== comma) this.#fail(`"," or "${String.fromCharCode(close)}" is expected here`)
    this.#position++
    return false
  }

  #leave(): void {
    this.#position++
    this.#depth--
    this.#path.length = this.#depth
  }

  #readString(): string {
    const opening = this.#beginString()
    while (!this.#scanString(opening)) continue
    return this.#endString(opening)
  }

  #beginString(): number {
    this.#hasEscapes = false
    return this.#position++
  }

  /** Moves to the closing quote, or up to the end of one step; returns whether it reached the quote. */
  #scanString(opening: number): boolean {
    const end = this.#position + charactersPerStep
    while (this.#position < end) {
      const character = this.#peek()
      if (character === doubleQuote) return true
      if (character === backslash) {
        this.#hasEscapes = true
        this.#skipEscape()
      } else if (character >= space) {
        this.#position++
      } else {
        this.#failInString(opening)
      }
    }
    return false
  }

  #endString(opening: number): string {
    const closing = this.#position++
    return this.#hasEscapes ? this.#decodeEscapes(opening) : this.#text.slice(opening + 1, closing)
  }

  #skipEscape(): void {
    const letter = this.#text.charAt(this.#position + 1)
    if (letter === 'u') {
      const digits = this.#text.slice(this.#position + 2, this.#position + 6)
      if (!hexDigitsPattern.test(digits)) this.#fail('four hexadecimal digits are expected after \\u')
      this.#position += 6
      return
    }
    if (letter === '' || !'"\\/bfnrt'.includes(letter)) this.#fail('this escape does not exist in JSON')
    this.#position += 2
  }

  /** The built-in parser builds the value of one checked literal in flat memory, regardless of the number of escapes. */
  #decodeEscapes(opening: number): string {
    const value: unknown = JSON.parse(this.#text.slice(opening, this.#position))
    if (typeof value !== 'string' || !value.isWellFormed()) {
      this.#fail('an escape in this string is half of a surrogate pair', opening)
    }
    return value
  }

  #failInString(opening: number): never {
    if (this.#position >= this.#text.length) this.#fail('this string has no end', opening)
    return this.#fail('a control character in a string must be written as an escape')
  }

  #readNumber(): number {
    const start = this.#position
    if (this.#peek() === minus) this.#position++
    if (this.#peek() === zero) this.#position++
    else this.#skipDigits(start)
    if (this.#peek() === dot) {
      this.#position++
      this.#skipDigits(start)
    }
    // Setting bit 5 turns `E` into `e`, and no other character.
    if ((this.#peek() | 0x20) === lowerE) {
      this.#position++
      if (this.#peek() === plus || this.#peek() === minus) this.#position++
      this.#skipDigits(start)
    }
    return Number(this.#text.slice(start, this.#position))
  }

  #skipDigits(start: number): void {
    const first = this.#position
    while (this.#peek() >= zero && this.#peek() <= nine) this.#position++
    if (this.#position > first) return
    if (first === start) this.#fail('a value is expected here')
    this.#fail('a digit is expected here')
  }

  #readWord<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#position)) this.#fail('a value is expected here')
    this.#position += word.length
    return value
  }

  #skipSpace(): void {
    const text = this.#text
    let position = this.#position
    for (; ; position++) {
      const character = text.charCodeAt(position)
      const isSpace =
        character === space || character === lineFeed || character === carriageReturn || character === tab
      if (!isSpace) break
    }
    this.#position = position
  }

  /** The next code unit; at the end `NaN`, which equals nothing. */
  #peek(): number {
    return this.#text.charCodeAt(this.#position)
  }

  #fail(reason: string, position: number = this.#position): never {
    const isEnd = position >= this.#text.length
    throw new IJsonError(isEnd ? `ends too early: ${reason}` : reason, {
      offset: Buffer.byteLength(this.#text.slice(0, position)),
      path: this.#path.slice(0, this.#depth),
    })
  }
}
