import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseIJson } from '../../test/support/content/read-at-once.ts'
import { IJsonError } from './i-json-error.ts'
import { maxDepth, maxNames, maxValues, readIJson } from './i-json.ts'

// Includes lone surrogates.
const codeUnit = fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit))

describe('parseIJson', () => {
  test.each([
    ['{}', {}],
    [' [1 , -2.5e3, 0, true,false,null ]\r\n\t ', [1, -2500, 0, true, false, null]],
    ['"\\u00e9\\ud83d\\udea2\\n\\/\\"é🚢"', 'é🚢\n/"é🚢'],
    ['"\\u0000"', '\0'],
    ['9007199254740993', 9007199254740992],
    ['1e999', Number.POSITIVE_INFINITY],
    ['-0', -0],
    ['{"":{"a":[]},"b":{"a":1}}', { '': { a: [] }, b: { a: 1 } }],
  ])('reads %s', (text, expected) => {
    expect(parseIJson(encode(text))).toEqual(expected)
  })

  test.each([
    ['', 0, 'ends too early', []],
    ['{', 1, 'ends too early', []],
    ['{"a"', 4, 'ends too early: ":" is expected', []],
    ['{"a":', 5, 'ends too early: a value', ['a']],
    ['{"a":1,}', 7, 'a name in double quotes', []],
    ['{a:1}', 1, 'a name in double quotes', []],
    ['{"a":1} x', 8, 'goes on after its end', []],
    ['{}{}', 2, 'goes on after its end', []],
    ['{}\0', 2, 'goes on after its end', []],
    ['[1,]', 3, 'a value is expected', [1]],
    ['[1 2]', 3, '"," or "]" is expected', [0]],
    ['[{"a":[0,1,tru]}]', 11, 'a value is expected', [0, 'a', 2]],
    ['[01]', 2, '"," or "]"', [0]],
    ['[+1]', 1, 'a value is expected', [0]],
    ['[.5]', 1, 'a value is expected', [0]],
    ['[1.]', 3, 'a digit is expected', [0]],
    ['[1e]', 3, 'a digit is expected', [0]],
    ['[NaN]', 1, 'a value is expected', [0]],
    ['"a', 0, 'this string has no end', []],
    ['"\t"', 1, 'control character', []],
    ['"é\\x"', 3, 'escape does not exist', []],
    ['"\\u12g4"', 1, 'four hexadecimal digits', []],
    ['"\\ud800"', 0, 'half of a surrogate pair', []],
    ['"\\udc00\\ud800"', 0, 'half of a surrogate pair', []],
    ['\ufeff{}', 0, 'byte order mark', []],
    ['/**/1', 0, 'a value is expected', []],
  ])('refuses %j at byte %i: %s', (text, offset, ...[reason, path]) => {
    const error = catchError(encode(text))
    expect(error).toMatchObject({ offset, path })
    expect(error.reason).toContain(reason)
  })

  test.each([
    ['{"a":1,"a":2}', 7, []],
    ['{"a":1,"\\u0061":2}', 7, []],
    ['[{"x":{"b":1,"c":1,"b":1}}]', 19, [0, 'x']],
    ['{"__proto__":1,"__proto__":2}', 15, []],
  ])('E5: refuses a name that occurs twice: %s', (text, offset, path) => {
    const error = catchError(encode(text))
    expect(error).toMatchObject({ offset, path })
    expect(error.reason).toContain('occurs twice in one object')
  })

  test.each([
    [[0x22, 0xff, 0x22], 1],
    [[0x22, 0xef, 0xbf, 0xbd, 0xc3, 0x22], 4],
    [[0x22, 0xed, 0xa0, 0x80, 0x22], 1],
    [[0x22, 0xc0, 0xaf, 0x22], 1],
    [[0x5b, 0xe2, 0x82], 1],
  ])('E5: refuses bytes that are not UTF-8: %j at byte %i', (bytes, offset) => {
    const error = catchError(Uint8Array.from(bytes))
    expect(error.reason).toBe('these bytes are not UTF-8')
    expect(error.offset).toBe(offset)
  })

  test('E5: property names of JavaScript are ordinary names', () => {
    const text = '{"__proto__":{"polluted":true},"constructor":1,"toString":null}'
    const value = parseIJson(encode(text)) as Record<string, unknown>
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor', 'toString'])
    expect(JSON.stringify(value)).toBe(text)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect('hasOwnProperty' in value).toBe(false)
  })

  test('A2: bounds depth, values and names', () => {
    expect(parseIJson(encode('['.repeat(maxDepth) + ']'.repeat(maxDepth)))).toBeInstanceOf(Array)
    expect(catchError(encode('['.repeat(10_000_000))).reason).toContain('nested deeper than 64')
    expect(catchError(encode(`[${'{},'.repeat(maxValues)}0]`)).reason).toContain('more than 1000000 values')
    const names = Array.from({ length: maxNames + 1 }, (_, number) => `"${number}":0`)
    expect(catchError(encode(`{${names.join(',')}}`)).reason).toContain('more than 16384 names')
  })

  test('A2: reads 10 MiB of one kind of value to the end', () => {
    const size = 10 * 1024 * 1024
    expect(parseIJson(encode(`"${'\\n'.repeat(size / 2)}"`))).toHaveLength(size / 2)
    expect(parseIJson(encode(' '.repeat(size) + '1'))).toBe(1)
    expect(parseIJson(encode('1'.repeat(size)))).toBe(Number.POSITIVE_INFINITY)
    expect(catchError(encode(`"${'\ufffd'.repeat(size / 4)}`)).reason).toBe('this string has no end')
  })

  test('agrees with JSON.parse on every document without duplicates', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom('', ' ', '\n'), (text, space) => {
        const document = text + space
        expect(attempt(encode(document))).toEqual(JSON.parse(document))
      }),
    )
  })

  test('accepts nothing that JSON.parse refuses, and throws only its own error', () => {
    const tokens = fc.constantFrom(...'{}[]:,"\\u0d8-+.eE19truefalsn \n\té\0'.split(''))
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: tokens }), fc.string({ unit: codeUnit })), (text) => {
        const strict = attempt(encode(text))
        const expected = strict instanceof IJsonError ? strict : JSON.parse(text)
        expect(strict).toEqual(expected)
      }),
      { numRuns: 2000 },
    )
  })

  test('throws only its own error, with an offset inside the text, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const result = attempt(bytes)
        const offset = result instanceof IJsonError ? result.offset : 0
        expect(offset).toBeGreaterThanOrEqual(0)
        expect(offset).toBeLessThanOrEqual(bytes.length)
      }),
    )
  })

  test('refuses a document truncated anywhere', () => {
    const whole = encode('{"a":[1.5e3,"x\\n",{"b":null}],"c":true}')
    for (let end = 0; end < whole.length; end++) {
      expect(catchError(whole.subarray(0, end)).offset).toBeLessThanOrEqual(end)
    }
  })
})

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function attempt(bytes: Uint8Array): unknown {
  try {
    return parseIJson(bytes)
  } catch (error) {
    if (error instanceof IJsonError) return error
    throw error
  }
}

function catchError(bytes: Uint8Array): IJsonError {
  const result = attempt(bytes)
  if (result instanceof IJsonError) return result
  throw new Error('expected an IJsonError')
}

describe('steps', () => {
  const stepsOf = (text: string): number => {
    const steps = readIJson(Buffer.from(text))
    let count = 1
    while (steps.next().done !== true) count += 1
    return count
  }

  test.each([
    ['a small document', JSON.stringify({ a: [1, { b: 'c' }], d: null }), 1, 1],
    ['many values', JSON.stringify(Array.from({ length: 40_000 }, (_, index) => ({ index }))), 15, 40],
    ['one long string', JSON.stringify({ a: 'x'.repeat(4 * 1024 * 1024) }), 15, 40],
    ['one long name', JSON.stringify({ ['x'.repeat(4 * 1024 * 1024)]: 1 }), 15, 40],
    ['one long string of escaped quotes', JSON.stringify({ a: '"'.repeat(2 * 1024 * 1024) }), 15, 40],
    ['one long string after a short one', JSON.stringify(['a', '\n'.repeat(2 * 1024 * 1024)]), 15, 40],
  ])('%s takes a number of steps in proportion to its size', (_, text, least, most) => {
    const count = stepsOf(text)
    expect(count).toBeGreaterThanOrEqual(least)
    expect(count).toBeLessThanOrEqual(most)
    expect(parseIJson(Buffer.from(text))).toEqual(JSON.parse(text))
  })
})
