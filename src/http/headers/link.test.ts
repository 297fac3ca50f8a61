import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatNextLink } from './link.ts'

const example = 'http://registry.test'

describe('Link', () => {
  test('names the next page by an absolute path with escaped values', () => {
    expect(
      formatNextLink('/v2/a/b/tags/list', [
        ['n', '2'],
        ['last', 'a&b=c d'],
      ]),
    ).toBe('</v2/a/b/tags/list?n=2&last=a%26b%3Dc%20d>; rel="next"')
  })

  test('carries every value through a URL parser unchanged', () => {
    const value = fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed())
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('n', 'last', 'artifactType'), value)), (parameters) => {
        const link = formatNextLink('/v2/a/b/referrers/x', parameters)
        const [, target = ''] = /^<([^<>\s]*)>; rel="next"$/.exec(link) ?? []
        expect([...new URL(target, example).searchParams]).toEqual(parameters)
      }),
    )
  })
})
