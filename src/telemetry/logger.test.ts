import { describe, expect, test } from 'vitest'
import { createLogger } from './logger.ts'

function createLog(level: 'info' | 'debug' = 'info') {
  const lines: string[] = []
  const logger = createLogger({ level, destination: { write: (line) => void lines.push(line) } })
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> }
}

describe('createLogger', () => {
  test('writes one JSON object per line with level, time and fields', () => {
    const { logger, last } = createLog()
    logger.info({ requestId: 'r-1', status: 200 }, 'request')
    expect(last()).toMatchObject({ level: 'info', requestId: 'r-1', status: 200, msg: 'request' })
    expect(new Date(String(last()['time'])).toISOString()).toBe(last()['time'])
  })

  test.each([
    ['a field', { password: 'hunter2' }],
    ['a header', { headers: { Authorization: 'Basic hunter2', Cookie: 'hunter2' } }],
    ['a deep field', { a: { b: { c: { secretAccessKey: 'hunter2' } } } }],
  ])('redacts %s', (_, fields) => {
    const { logger, lines } = createLog()
    logger.info(fields, 'x')
    expect(lines[0]).toContain('[redacted]')
    expect(lines[0]).not.toContain('hunter2')
  })

  test('redacts the fields of a child logger', () => {
    const { logger, lines } = createLog()
    logger.child({ requestId: 'r-1', token: 'hunter2' }).info('x')
    expect(lines[0]).toContain('"requestId":"r-1"')
    expect(lines[0]).not.toContain('hunter2')
  })

  test('leaves the logged object unchanged', () => {
    const fields = { headers: { authorization: 'Basic x' } }
    createLog().logger.info(fields, 'x')
    expect(fields.headers.authorization).toBe('Basic x')
  })

  test('keeps a value with line breaks on one line', () => {
    const { logger, lines } = createLog()
    logger.info({ path: 'a\n{"level":"fatal"}' }, 'first\nsecond')
    expect(lines).toHaveLength(1)
    expect(lines[0]?.trimEnd()).not.toContain('\n')
  })

  test('omits lines below the level', () => {
    const { logger, lines } = createLog()
    logger.debug('x')
    expect(lines).toEqual([])
  })

  test('keeps the stack of an error', () => {
    const { logger, last } = createLog()
    logger.error({ err: new Error('broken') }, 'x')
    expect(last()['err']).toMatchObject({ message: 'broken', stack: expect.stringContaining('logger.test') })
  })
})
