import { describe, expect, test } from 'vitest'
import { formatPrettyLine } from './pretty-line.ts'

const time = new Date(2026, 10, 30, 9, 5, 7).toISOString()

function format(fields: Record<string, unknown>): string {
  return formatPrettyLine(`${JSON.stringify({ level: 'info', time, msg: 'x', ...fields })}\n`)
}

describe('formatPrettyLine', () => {
  test('shows the time of day, the level, the message and the fields, the request id last', () => {
    const line = format({ requestId: 'r1', msg: 'image pushed', repository: 'acme/web', tag: 'v1', ms: 12 })
    expect(line).toBe('09:05:07 info  image pushed repository=acme/web tag=v1 ms=12 requestId=r1\n')
  })

  test('shortens digests and sizes', () => {
    const digest = `sha256:${'0123456789ab'.padEnd(64, 'f')}`
    expect(format({ digest, size: 3_250_585 })).toContain('digest=sha256:0123456789ab size=3.1MiB')
    expect(format({ size: 512 })).toContain('size=512B')
  })

  test('quotes a value with spaces', () => {
    expect(format({ reason: 'log in first' })).toContain('reason="log in first"')
  })

  test.each([
    ['a line break', 'a\nb', String.raw`"a\nb"`],
    ['an escape sequence', '\u001B[2J', String.raw`"\u001b[2J"`],
    ['an 8-bit escape sequence', '\u009B2J', String.raw`"\u009b2J"`],
    ['a change of direction', 'a\u202Eb', String.raw`"a\u202eb"`],
  ])('escapes %s in a value', (_, value, shown) => {
    expect(format({ path: value })).toContain(`path=${shown}`)
  })

  test('escapes control characters in the message and in the names of fields', () => {
    const line = format({ msg: 'a\nb\u001B', 'c\nd': 1 })
    expect(line).toContain(String.raw`a\u000ab\u001b c\u000ad=1`)
    expect(line.match(/\n/g)).toHaveLength(1)
  })

  test('shows the message of an error, and the stack only of a fault', () => {
    const err = { type: 'Error', message: 'disk is full', stack: 'Error: disk is full\n    at write' }
    expect(format({ level: 'warn', err })).toBe('09:05:07 warn  x error="disk is full"\n')
    expect(format({ level: 'error', err })).toContain('\n    Error: disk is full\n        at write\n')
  })

  test('keeps a line that is not JSON', () => {
    expect(formatPrettyLine('plain\n')).toBe('plain\n')
  })
})
