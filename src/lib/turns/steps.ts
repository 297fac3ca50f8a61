/** Work that can be done at once or with turns for everybody else in between: a generator that yields where it may pause. */
import { Turns } from './turns.ts'

/** Yields after each piece of some milliseconds at most. */
export type Steps<T> = Generator<undefined, T, undefined>

/** Throws what the work throws. */
export function runAtOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** As `runAtOnce`, with turns for everybody else at each pause: of all such work one piece runs in a turn. */
export async function runInTurns<T>(steps: Steps<T>, turns = new Turns()): Promise<T> {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    await turns.rest()
  }
}
