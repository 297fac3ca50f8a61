/**
 * @module
 * A strict reader of I-JSON (RFC 7493) over bytes. What two readers could understand differently is refused: bytes
 * that are not UTF-8, a byte order mark, names that occur twice in an object, lone surrogates. Depth and the number
 * of values are bounded, time is linear in the size. Objects have no inherited members at all, so that `__proto__`
 * and `constructor` are names like any other.
 */
import { IJsonError } from './i-json-error.ts'
import { decodeUtf8 } from './utf8.ts'
import { quote } from './quote.ts'

/** Deep enough for any manifest or config, shallow enough for recursive readers. */
export const maxDepth = 64
/** Bounds memory: the smallest value takes two bytes in the text and several dozen in memory. */
export const maxValues = 1_000_000
/** Of one object: beyond it, growing the object takes most of the time. */
export const maxNames = 16_384

/** Throws `IJsonError`, which names the byte and the JSON path. Numbers are read as `JSON.parse` reads them. */
export function parseIJson(bytes: Uint8Array): unknown {
  return new IJsonReader(decodeUtf8(bytes)).readDocument()
}

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

  constructor(text: string) {
    this.#text = text
  }

  readDocument(): unknown {
    if (this.#peek() === byteOrderMark) this.#fail('starts with a byte order mark; save it without one')
    const value = this.#readValue()
    this.#skipSpace()
    if (this.#position < this.#text.length) this.#fail('goes on after its end')
    return value
  }

  #readValue(): unknown {
    this.#skipSpace()
    if (++this.#values > maxValues) this.#fail(`holds more than ${maxValues} values`)
    switch (this.#peek()) {
      case openBrace:
        return this.#readObject()
      case openBracket:
        return this.#readArray()
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

  #readObject(): Record<string, unknown> {
    const object = new JsonObject()
    this.#enter()
    if (this.#isEmptyUntil(closeBrace)) return object
    for (let names = 1; ; names++) {
      if (names > maxNames) this.#fail(`holds more than ${maxNames} names in one object`)
      const name = this.#readName(object)
      this.#path[this.#depth - 1] = name
      object[name] = this.#readValue()
      if (this.#isLast(closeBrace)) return object
      this.#skipSpace()
    }
  }

  #readName(object: Record<string, unknown>): string {
    const start = this.#position
    this.#path.length = this.#depth - 1
    if (this.#peek() !== doubleQuote) this.#fail('a name in double quotes is expected here')
    const name = this.#readString()
    if (name in object) this.#fail(`the name ${quote(name)} occurs twice in one object`, start)
    this.#skipSpace()
    if (this.#peek() !== colon) this.#fail(`":" is expected after the name ${quote(name)}`)
    this.#position++
    return name
  }

  #readArray(): unknown[] {
    const array: unknown[] = []
    this.#enter()
    if (this.#isEmptyUntil(closeBracket)) return array
    for (;;) {
      this.#path[this.#depth - 1] = array.length
      array.push(this.#readValue())
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

  /** After a value: `true` behind the closing bracket, `false` behind a comma. */
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
    const opening = this.#position++
    let hasEscapes = false
    for (;;) {
      const character = this.#peek()
      if (character === doubleQuote) break
      if (character === backslash) {
        hasEscapes = true
        this.#skipEscape()
      } else if (character >= space) {
        this.#position++
      } else {
        this.#failInString(opening)
      }
    }
    const closing = this.#position++
    return hasEscapes ? this.#decodeEscapes(opening) : this.#text.slice(opening + 1, closing)
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

  /** The built-in parser builds the value of one checked literal in flat memory, whatever the number of escapes. */
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
    for (;;) {
      const character = this.#peek()
      const isSpace =
        character === space || character === lineFeed || character === carriageReturn || character === tab
      if (!isSpace) return
      this.#position++
    }
  }

  /** The next code unit; `NaN` at the end, which equals nothing. */
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
