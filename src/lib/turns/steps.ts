/** Work that gives others turns in between: a generator that yields where it may pause. */
import { Turns } from './turns.ts'

/** Yields after each piece of some milliseconds at most. */
export type Steps<T> = Generator<undefined, T, undefined>

/** Rests at each pause, so that only one piece of all such work runs in a turn. Throws what the work throws. */
export async function runInTurns<T>(steps: Steps<T>, turns = new Turns()): Promise<T> {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    await turns.rest()
  }
}
