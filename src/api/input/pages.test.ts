import { describe, expect, test } from 'vitest'
import { readHeavyPage } from './pages.ts'

interface Item {
  readonly id: number
  readonly bytes: number
}

function open(sizes: readonly number[]) {
  const items: Item[] = sizes.map((bytes, index) => ({ id: index + 1, bytes }))
  const asked: number[] = []
  const list = async (limit: number, after?: string) => {
    const read = (page: { limit: number; after: string | undefined }) => {
      asked.push(page.limit)
      return Promise.resolve(items.filter(({ id }) => id > Number(page.after ?? 0)).slice(0, page.limit))
    }
    const weights = { keyOf: ({ id }: Item) => String(id), weigh: ({ bytes }: Item) => bytes }
    const page = await readHeavyPage({ limit, after }, read, weights)
    return { ids: page.value.items.map(({ id }) => id), after: page.after }
  }
  return { asked, list }
}

describe('a page of items that may be large', () => {
  test('reads a few at a time, up to its limit', async () => {
    const { asked, list } = open(Array.from({ length: 100 }, () => 1))
    const ids = Array.from({ length: 100 }, (_, index) => index + 1)
    expect(await list(50)).toEqual({ ids: ids.slice(0, 50), after: '50' })
    expect(Math.max(...asked)).toBe(21)
    expect(await list(200)).toEqual({ ids, after: undefined })
    expect(await list(50, '50')).toEqual({ ids: ids.slice(50), after: undefined })
  })

  test('ends after the item that makes it too large', async () => {
    const { list } = open([10, 300_000, 300_000, 10, 9_000_000, 10])
    const first = await list(200)
    expect(first).toEqual({ ids: [1, 2, 3], after: '3' })
    const second = await list(200, first.after)
    expect(second).toEqual({ ids: [4, 5], after: '5' })
    expect(await list(200, second.after)).toEqual({ ids: [6], after: undefined })
  })
})
