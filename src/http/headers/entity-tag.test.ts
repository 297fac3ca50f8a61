import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ContentChangedError } from '../errors.ts'
import {
  formatEntityTag,
  isNotModified,
  isRangeCurrent,
  parseEntityTags,
  parseTagCondition,
} from './entity-tag.ts'

const digest = `sha256:${'a'.repeat(64)}`
const other = `sha512:${'b'.repeat(128)}`

describe('entity tags', () => {
  test.each([
    ['*', '*'],
    [' * ', '*'],
    ['"x"', [{ weak: false, value: 'x' }]],
    ['x', [{ weak: false, value: 'x' }]],
    ['W/"x"', [{ weak: true, value: 'x' }]],
    ['W/x', [{ weak: true, value: 'x' }]],
    [
      '"x", "y"',
      [
        { weak: false, value: 'x' },
        { weak: false, value: 'y' },
      ],
    ],
    [
      'x,W/"y"',
      [
        { weak: false, value: 'x' },
        { weak: true, value: 'y' },
      ],
    ],
    ['"a,b"', [{ weak: false, value: 'a,b' }]],
    ['""', [{ weak: false, value: '' }]],
    ['', []],
    ['"unclosed', []],
    ['"x" "y"', []],
  ])('reads %j', (header, tags) => {
    expect(parseEntityTags(header)).toEqual(tags)
  })

  test('reads back lists of what it writes', () => {
    const value = fc.stringMatching(/^[\w:+.,-]{1,40}$/)
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), (values) => {
        const header = values.map(formatEntityTag).join(', ')
        expect(parseEntityTags(header)).toEqual(values.map((text) => ({ weak: false, value: text })))
      }),
    )
  })

  test('reads any header to its end', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 500 }), (header) => {
        expect(parseEntityTags(header)).toBeDefined()
      }),
    )
  })
})

describe('If-None-Match on a read', () => {
  test.each([
    [undefined, false],
    ['*', true],
    [digest, true],
    [`"${digest}"`, true],
    [`W/"${digest}"`, true],
    [`"${other}", "${digest}"`, true],
    [`"${other}"`, false],
    ['', false],
  ])('of %s says that nothing changed: %s', (header, unchanged) => {
    expect(isNotModified({ 'if-none-match': header }, digest)).toBe(unchanged)
  })
})

describe('If-Match on a read', () => {
  test.each(['*', `"${digest}"`, digest, `"${other}", "${digest}"`])('of %s holds', (header) => {
    expect(isNotModified({ 'if-match': header }, digest)).toBe(false)
    expect(isNotModified({ 'if-match': header, 'if-none-match': '*' }, digest)).toBe(true)
  })

  test.each([`W/"${digest}"`, `"${other}"`, ''])('of %s does not hold', (header) => {
    expect(() => isNotModified({ 'if-match': header }, digest)).toThrow(ContentChangedError)
    expect(() => isNotModified({ 'if-match': header, 'if-none-match': '*' }, digest)).toThrow(
      ContentChangedError,
    )
  })
})

describe('If-Range', () => {
  test.each([
    [undefined, true],
    [`"${digest}"`, true],
    [`W/"${digest}"`, false],
    [`"${other}"`, false],
    ['Sat, 01 Jan 2000 00:00:00 GMT', false],
  ])('of %s lets a range hold: %s', (header, current) => {
    expect(isRangeCurrent(header, digest)).toBe(current)
  })
})

describe('condition of a write', () => {
  test.each([
    [{}, undefined],
    [{ 'if-match': `"${digest}"` }, { ifMatch: [digest] }],
    [{ 'if-match': `${digest}, "${other}"` }, { ifMatch: [digest, other] }],
    [{ 'if-match': `W/"${digest}"` }, { ifMatch: [] }],
    [{ 'if-match': '*' }, { ifMatch: '*' }],
    [{ 'if-none-match': '*' }, { ifNoneMatch: '*' }],
    [{ 'if-none-match': `W/"${digest}"` }, { ifNoneMatch: [digest] }],
    [{ 'if-match': `"${digest}", "${other}"`, 'if-none-match': `"${other}"` }, { ifMatch: [digest] }],
    [{ 'if-match': '*', 'if-none-match': '*' }, { ifMatch: [] }],
  ])('is read from %j', (headers, condition) => {
    expect(parseTagCondition(headers)).toEqual(condition)
  })
})
