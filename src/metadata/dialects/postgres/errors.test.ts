import { expect, test } from 'vitest'
import { Conflict, MetadataFull, MetadataUnavailable } from '../../errors.ts'
import { translatePostgresError } from './errors.ts'

function aFault(code: string | undefined, message = 'fault'): Error {
  return code === undefined ? new Error(message) : Object.assign(new Error(message), { code })
}

test.each(['40001', '40P01', '23503', '23505', '55P03'])('translates SQLSTATE %s to Conflict', (code) => {
  const fault = aFault(code)
  const translated = translatePostgresError(fault)
  expect(translated).toBeInstanceOf(Conflict)
  expect(translated).toHaveProperty('cause', fault)
})

test('translates a full disk to MetadataFull', () => {
  expect(translatePostgresError(aFault('53100'))).toBeInstanceOf(MetadataFull)
})

test.each(['57P01', '53300', '08006', 'ECONNREFUSED', '57014'])(
  'translates %s to MetadataUnavailable',
  (code) => {
    const translated = translatePostgresError(aFault(code))
    expect(translated).toBeInstanceOf(MetadataUnavailable)
    expect(translated).toHaveProperty('retryable', true)
  },
)

test.each(['Connection terminated unexpectedly', 'timeout exceeded when trying to connect'])(
  'translates "%s", which has no code, to MetadataUnavailable',
  (message) => {
    expect(translatePostgresError(aFault(undefined, message))).toBeInstanceOf(MetadataUnavailable)
  },
)

test('returns faults of our own SQL unchanged', () => {
  const fault = aFault('42601', 'syntax error')
  expect(translatePostgresError(fault)).toBe(fault)
  expect(translatePostgresError('text')).toBe('text')
})
