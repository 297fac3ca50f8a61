/** The section `audit` of the configuration: which events are recorded, and how long they are kept. */
import { z } from 'zod'
import { quantity } from '../quantities.ts'

/** Audit rules commonly require a year. */
const defaultAuditDays = 365
/** About 5 GB in the database. A registry with a hundred pushes an hour writes a fifth of that in a year. */
const defaultAuditRows = 10_000_000

/** `audit.*`. */
export const audit = z.strictObject({
  pulls: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe(
      'The fraction of manifest pulls to record, chosen at random: 0 records none, 0.01 one in a hundred, 1 all.',
    ),
  retention: z
    .strictObject({
      days: quantity('days', { min: 1, default: defaultAuditDays }).describe(
        'How long to keep an event. Older events are deleted.',
      ),
      maxRows: z
        .int()
        .min(1000)
        .default(defaultAuditRows)
        .describe('How many events to keep. The oldest events are deleted first.'),
    })
    .prefault({}),
})
