/** Work that runs in slices between other work: a generator that yields where it may pause. */
import { Turns } from './turns.ts'

/** Yields at least every few milliseconds. */
export type Steps<T> = Generator<undefined, T, undefined>

/** Lets other work run at each pause. One slice of all such work runs per turn of the event loop. Throws what the work throws. */
export async function runInTurns<T>(steps: Steps<T>, turns = new Turns()): Promise<T> {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    await turns.rest()
  }
}
