import { describe, expect, test } from 'vitest'
import { configOptions, describeOption, formatOption } from './options.ts'

function helpOf(path: string) {
  const option = configOptions.find(({ names }) => names.includes(`--${path}`))
  if (option === undefined) throw new Error(`${path} is not a key`)
  return { usage: formatOption(option), summary: describeOption(option) }
}

describe('the help of a flag', () => {
  test('ends with the default', () => {
    expect(helpOf('http.port')).toEqual({
      usage: '--http.port, --port <integer>',
      summary: 'Port to listen on; 0 picks a free port. Default: 5000.',
    })
  })

  test('writes durations and sizes with their units', () => {
    expect(helpOf('auth.tokenLifetimeMs')).toEqual({
      usage: '--auth.tokenLifetimeMs <duration>',
      summary: expect.stringMatching(/ Default: 15m\.$/),
    })
    expect(helpOf('limits.manifestBytes')).toEqual({
      usage: '--limits.manifestBytes <size>',
      summary: expect.stringMatching(/ Default: 10MiB\.$/),
    })
    expect(helpOf('audit.retention.days').summary).toMatch(/ Default: 365d\.$/)
  })

  test('lists the choices', () => {
    expect(helpOf('metadata.driver').summary).toMatch(/ One of sqlite, postgres\. Default: sqlite\.$/)
  })

  test('names no default if there is none', () => {
    expect(helpOf('http.publicUrl').summary).not.toContain('Default:')
    expect(helpOf('http.trustedProxies').summary).not.toContain('Default:')
  })
})
