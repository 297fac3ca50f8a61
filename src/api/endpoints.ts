/** The one table of endpoints of the management API. Each resource has a file in `resources/` and a line here. */
import type { Endpoint } from './endpoint.ts'
import { accessEndpoints } from './resources/access.ts'
import { auditEndpoints } from './resources/audit.ts'
import { memberEndpoints } from './resources/members.ts'
import { meEndpoints } from './resources/me.ts'
import { ownerEndpoints } from './resources/owners.ts'
import { registrationEndpoints } from './resources/registrations.ts'
import { repositoryEndpoints } from './resources/repositories.ts'
import { rightsEndpoints } from './resources/rights.ts'
import { robotEndpoints } from './resources/robots.ts'
import { sessionEndpoints } from './resources/session.ts'
import { userEndpoints } from './resources/users.ts'

const rows = [
  ...meEndpoints,
  ...sessionEndpoints,
  ...registrationEndpoints,
  ...userEndpoints,
  ...ownerEndpoints,
  ...memberEndpoints,
  ...rightsEndpoints,
  ...accessEndpoints,
  ...robotEndpoints,
  ...repositoryEndpoints,
  ...auditEndpoints,
]

/** A row with its types. */
export type ApiRow = (typeof rows)[number]

export const endpoints: readonly Endpoint[] = rows
