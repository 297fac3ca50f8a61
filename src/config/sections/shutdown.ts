/** The section `shutdown` of the configuration. */
import { z } from 'zod'
import { timer } from '../leaves.ts'

/** Kubernetes kills a process 30 s after TERM and Docker after 10 s. Under Kubernetes, 20 s leaves time to close the stores. */
const defaultDrainMs = 20_000

/** `shutdown.*`. */
export const shutdown = z.strictObject({
  drainMs: timer({ min: 1, default: defaultDrainMs }).describe(
    'Time for running requests to finish after TERM. Set it below the grace period of the supervisor.',
  ),
})
