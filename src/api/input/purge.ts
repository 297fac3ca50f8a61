/** The deletion of an owner with all that it has. */
import { z } from '@hono/zod-openapi'
import { deletionOff } from '../errors/api-error.ts'
import type { ApiServices } from '../services.ts'

export const purge = z
  .enum(['true', 'false'])
  .default('false')
  .transform((value) => value === 'true')
  .openapi({ type: 'boolean', default: false, description: 'Also where repositories are: they go too.' })

/** Throws `ApiError`. */
export function checkPurge(
  asked: { readonly purge: boolean },
  { deleteEnabled }: Pick<ApiServices, 'deleteEnabled'>,
): void {
  if (asked.purge && !deleteEnabled) throw deletionOff()
}
