/** The section `shutdown` of the configuration. */
import { z } from 'zod'
import { timer } from '../leaves.ts'

/** Kubernetes and Docker kill 30 and 10 s after TERM; 20 s leaves the former time to close stores. */
const defaultDrainMs = 20_000

/** `shutdown.*`. */
export const shutdown = z.strictObject({
  drainMs: timer({ min: 1, default: defaultDrainMs }).describe(
    'Time that running requests get after TERM. Set it below the grace period of the supervisor.',
  ),
})
