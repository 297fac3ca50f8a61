/** The section `audit` of the configuration: which events are recorded, and for how long they are kept. */
import { z } from 'zod'
import { quantity } from '../quantities.ts'

/** A year is what rules for audits commonly ask for. */
const defaultAuditDays = 365
/** Some 5 GB in the database; a registry of a hundred pushes an hour writes a fifth of it in a year. */
const defaultAuditRows = 10_000_000

/** `audit.*`. */
export const audit = z.strictObject({
  pulls: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe(
      'The part of all pulls of manifests that is recorded, at random: 0 none, 0.01 one in a hundred, 1 all.',
    ),
  retention: z
    .strictObject({
      days: quantity('days', { min: 1, default: defaultAuditDays }).describe(
        'How long an event is kept; older ones are deleted.',
      ),
      maxRows: z
        .int()
        .min(1000)
        .default(defaultAuditRows)
        .describe('How many events are kept; when there are more, the oldest are deleted.'),
    })
    .prefault({}),
})
