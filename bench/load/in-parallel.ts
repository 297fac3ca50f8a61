/** Processes the items with this many workers; each takes the next item when it has finished one. Throws the first error. */
export async function inParallel<T>(
  items: readonly T[],
  workers: number,
  work: (item: T, place: { readonly index: number; readonly worker: number }) => Promise<void>,
): Promise<void> {
  const queue = items.entries()
  await Promise.all(
    Array.from({ length: workers }, async (_, worker) => {
      for (const [index, item] of queue) await work(item, { index, worker })
    }),
  )
}
