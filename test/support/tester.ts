/** Who changes things in tests where it does not matter who. */
import { operator } from '../../src/identity/actor.ts'

export const tester = operator('tester')
