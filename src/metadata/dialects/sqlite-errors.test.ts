import { expect, test } from 'vitest'
import { Conflict, MetadataFull, MetadataUnavailable } from '../errors.ts'
import { isBusy, isSyncFailure, translateSqliteError } from './sqlite-errors.ts'

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

test.each([5, 261, 517, 6, 15])('takes code %i for a busy database, which is worth another try', (code) => {
  const translated = translateSqliteError(aFault(code))
  expect(translated).toBeInstanceOf(MetadataUnavailable)
  expect(isBusy(translated)).toBe(true)
})

test.each([10, 778, 1034, 11, 14, 26])('takes code %i for a fault that lasts', (code) => {
  const translated = translateSqliteError(aFault(code))
  expect(translated).toMatchObject({ name: 'MetadataUnavailable', retryable: false })
  expect(isBusy(translated)).toBe(false)
})

test('tells a failed sync from other faults', () => {
  expect([1034, 1290, 778, 5].map((code) => isSyncFailure(aFault(code)))).toEqual([true, true, false, false])
})

test('passes faults of our own SQL unchanged', () => {
  const fault = aFault(1)
  expect(translateSqliteError(fault)).toBe(fault)
  expect(translateSqliteError('text')).toBe('text')
  expect(isBusy(new MetadataUnavailable('closed', { retryable: true }))).toBe(false)
})
