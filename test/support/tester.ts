/** Who changes things in tests where it does not matter who. */
import { operator } from '../../src/auth/actor.ts'

export const tester = operator('tester')
