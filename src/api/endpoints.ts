/** THE table of endpoints of the management API. A resource is a file in `resources/` and a line here. */
import type { Endpoint } from './endpoint.ts'
import { auditEndpoints } from './resources/audit.ts'
import { userEndpoints } from './resources/users.ts'

export const endpoints: readonly Endpoint[] = [...userEndpoints, ...auditEndpoints]
