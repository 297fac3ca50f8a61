/** Work that runs either at once or in slices between other work: a generator that yields where it may pause. */
import { Turns } from './turns.ts'

/** Yields at least every few milliseconds. */
export type Steps<T> = Generator<undefined, T, undefined>

/** Throws what the work throws. */
export function runAtOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** Like `runAtOnce`, but lets other work run at each pause. One slice of all such work runs per turn of the event loop. */
export async function runInTurns<T>(steps: Steps<T>, turns = new Turns()): Promise<T> {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    await turns.rest()
  }
}
