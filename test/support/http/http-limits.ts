/** The default limits of the HTTP layer. */
import { createHttpLimits } from '../../../src/app/http-limits.ts'
import { limits } from '../../../src/config/sections/limits.ts'

export const defaultHttpLimits = createHttpLimits(limits.parse({}))
