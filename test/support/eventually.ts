import { setTimeout as sleep } from 'node:timers/promises'

const pauseMs = 10

/** Repeats the question until `accept` is true for the answer. Throws with the last answer when that takes too long. */
export async function eventually<T>(
  read: () => Promise<T> | T,
  accept: (value: T) => boolean,
  timeoutMs = 15_000,
): Promise<T> {
  const end = Date.now() + timeoutMs
  for (;;) {
    const value = await read()
    if (accept(value)) return value
    if (Date.now() > end) throw new Error(`not so within ${timeoutMs} ms; at last ${JSON.stringify(value)}`)
    await sleep(pauseMs)
  }
}
