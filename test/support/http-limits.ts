/** The limits of the HTTP layer when nothing is configured. */
import { createHttpLimits } from '../../src/app/http-limits.ts'
import { limits } from '../../src/config/sections/limits.ts'

export const defaultHttpLimits = createHttpLimits(limits.parse({}))
