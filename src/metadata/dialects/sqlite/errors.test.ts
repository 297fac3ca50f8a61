import { expect, test } from 'vitest'
import { Conflict, MetadataFull, MetadataUnavailable } from '../../errors.ts'
import { describeFatal, fatalKindOf, isBusy, translateSqliteError } from './errors.ts'

function aFault(errcode: number): Error {
  return Object.assign(new Error('fault'), { code: 'ERR_SQLITE_ERROR', errcode })
}

test.each([
  ['a primary key', 1555],
  ['a foreign key', 787],
])('translates the violation of %s to Conflict', (_, code) => {
  const fault = aFault(code)
  expect(translateSqliteError(fault)).toBeInstanceOf(Conflict)
  expect(translateSqliteError(fault)).toHaveProperty('cause', fault)
})

test.each([
  ['the database', 13],
  ['the index file', 4874],
])('translates no space for %s to MetadataFull', (_, code) => {
  expect(translateSqliteError(aFault(code))).toBeInstanceOf(MetadataFull)
})

test.each([5, 261, 517, 6, 15])('translates code %i to a busy database, which is worth a retry', (code) => {
  const translated = translateSqliteError(aFault(code))
  expect(translated).toBeInstanceOf(MetadataUnavailable)
  expect(isBusy(translated)).toBe(true)
})

test.each([10, 778, 1034, 11, 14, 26])('translates code %i to a permanent fault', (code) => {
  const translated = translateSqliteError(aFault(code))
  expect(translated).toMatchObject({ name: 'MetadataUnavailable', retryable: false })
  expect(isBusy(translated)).toBe(false)
})

test.each([
  ['sync', [1034, 1290]],
  ['damage', [11, 267, 523, 779, 26, 266, 522, 1802, 8202, 8458, 1032]],
  // Busy, a write that failed (as with a quota), no space, a constraint violation.
  [undefined, [5, 778, 13, 4874, 19, 1]],
])('classifies as %s: %j', (kind, codes) => {
  expect(codes.map((code) => fatalKindOf(aFault(code)))).toEqual(codes.map(() => kind))
})

test('says what to do after damage', () => {
  const fault = aFault(11)
  expect(describeFatal('damage', fault).message).toMatch(/damaged .*\(fault\).*lading restore/)
  expect(describeFatal('damage', fault)).toMatchObject({ cause: fault, retryable: false })
})

test('returns faults of our own SQL unchanged', () => {
  const fault = aFault(1)
  expect(translateSqliteError(fault)).toBe(fault)
  expect(translateSqliteError('text')).toBe('text')
  expect(isBusy(new MetadataUnavailable('closed', { retryable: true }))).toBe(false)
})
