/** The actor of changes in tests where the actor does not matter. */
import { operator } from '../../../src/identity/actor.ts'

export const tester = operator('tester')
