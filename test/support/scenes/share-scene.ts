/** One scene for the tests of a file that do not change it, such as refusals: most of their time is the start of the scene. */
import { afterAll } from 'vitest'

/** Starts the scene when a test first asks for it, and ends it after the last test of the file. */
export function shareScene<T extends AsyncDisposable>(start: () => Promise<T>): () => Promise<T> {
  let scene: Promise<T> | undefined
  afterAll(async () => {
    await (await scene)?.[Symbol.asyncDispose]()
  })
  return () => (scene ??= start())
}
