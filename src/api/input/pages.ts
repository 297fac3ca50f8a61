/** Keyset pages: each page ends with the key after which the next one starts, so no rows are counted or skipped. */
import { z } from '../zod.ts'
import { Turns } from '../../lib/turns/turns.ts'
import { text } from '../schemas.ts'

const defaultLimit = 50
const maxLimit = 200
/** The most bytes of weighed items in a page: writing more at once takes too long. */
const maxBytes = 512 * 1024
/** The most weighed items read at once. */
const heavyItems = 20

/** Query parameters arrive as text. */
const limit = z
  .string()
  .regex(/^(?:[1-9]\d?|1\d\d|200)$/, `use a number from 1 to ${maxLimit}`)
  .transform(Number)
  .default(defaultLimit)
  .openapi({
    type: 'integer',
    minimum: 1,
    maximum: maxLimit,
    default: defaultLimit,
    description: 'The maximum number of items in the page.',
  })

const after = text(512).min(1).optional().openapi({
  description: 'The position after which the page starts, from the Link header of the previous page.',
})

export const pageQuery = z.strictObject({ limit, after })

export interface Page {
  readonly limit: number
  readonly after?: string | undefined
}

export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item) })
}

/**
 * Like `readPage`, for items that may be large: reads a few at a time, and ends the page after the item that makes it larger
 * than `maxBytes`.
 */
export async function readHeavyPage<T>(
  { limit, after }: Page,
  read: (page: { limit: number; after: string | undefined }) => Promise<readonly T[]>,
  { keyOf, weigh }: { readonly keyOf: (item: T) => string; readonly weigh: (item: T) => number },
): Promise<{ value: { items: T[] }; after?: string }> {
  const turns = new Turns()
  const items: T[] = []
  let bytes = 0
  let next = after
  for (;;) {
    const part = await readPage(
      { limit: Math.min(heavyItems, limit - items.length), after: next },
      read,
      keyOf,
    )
    for (const item of part.value.items) {
      items.push(item)
      bytes += weigh(item)
      if (bytes > maxBytes) return { value: { items }, after: keyOf(item) }
    }
    if (part.after === undefined) return { value: { items } }
    if (items.length === limit) return { value: { items }, after: part.after }
    next = part.after
    await turns.pass()
  }
}

/** Reads one item more than the page holds, to learn whether another page follows. */
export async function readPage<T>(
  { limit, after }: Page,
  read: (page: { limit: number; after: string | undefined }) => Promise<readonly T[]>,
  keyOf: (item: T) => string,
): Promise<{ value: { items: T[] }; after?: string }> {
  const found = await read({ limit: limit + 1, after })
  const items = found.slice(0, limit)
  const last = items.at(-1)
  if (found.length <= limit || last === undefined) return { value: { items } }
  return { value: { items }, after: keyOf(last) }
}
