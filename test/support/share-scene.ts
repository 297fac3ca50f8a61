/** One scene for the tests of a file that change nothing in it, such as refusals: starting one takes most of their time. */
import { afterAll } from 'vitest'

/** Starts the scene with the first test that asks for it, and ends it after the last test of the file. */
export function shareScene<T extends AsyncDisposable>(start: () => Promise<T>): () => Promise<T> {
  let scene: Promise<T> | undefined
  afterAll(async () => {
    await (await scene)?.[Symbol.asyncDispose]()
  })
  return () => (scene ??= start())
}
