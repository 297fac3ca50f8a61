/** The parameter `purge`, which deletes an owner together with its repositories. */
import { z } from '../zod.ts'
import { deletionOff } from '../errors/api-error.ts'
import type { ApiServices } from '../services.ts'

export const purge = z
  .enum(['true', 'false'])
  .default('false')
  .transform((value) => value === 'true')
  .openapi({
    type: 'boolean',
    default: false,
    description:
      'Whether to also delete the repositories of the owner. Without it, an owner with repositories is not deleted.',
  })

/** Throws `ApiError` if the request purges while deletions are switched off. */
export function checkPurge(
  asked: { readonly purge: boolean },
  { deleteEnabled }: Pick<ApiServices, 'deleteEnabled'>,
): void {
  if (asked.purge && !deleteEnabled) throw deletionOff()
}
