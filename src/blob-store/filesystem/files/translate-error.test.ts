import { describe, expect, test } from 'vitest'
import { StoreFull, StoreUnavailable } from '../../errors.ts'
import { translateError } from './translate-error.ts'

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: it went wrong`), { code, syscall: 'write' })
}

describe('translateError', () => {
  test.for(['ENOSPC', 'EDQUOT'])('calls %s a full store', (code) => {
    const error = systemError(code)
    const translated = translateError(error, 'store bytes')
    expect(translated).toBeInstanceOf(StoreFull)
    expect(translated).toMatchObject({ cause: error })
  })

  test.for([
    { code: 'EMFILE', retryable: true },
    { code: 'EIO', retryable: false },
    { code: 'EROFS', retryable: false },
  ])('calls $code unavailable, retryable: $retryable', ({ code, retryable }) => {
    const translated = translateError(systemError(code), 'store bytes')
    expect(translated).toBeInstanceOf(StoreUnavailable)
    expect(translated).toMatchObject({
      retryable,
      message: expect.stringContaining(`cannot store bytes (${code})`),
    })
  })

  test('leaves errors other than system errors alone', () => {
    for (const error of [new StoreFull('full'), new TypeError('a bug'), 'text', undefined]) {
      expect(translateError(error, 'store bytes')).toBe(error)
    }
  })
})
