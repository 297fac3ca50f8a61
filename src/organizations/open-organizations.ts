/** Creates the services of this folder. */
import { createMembers, createTeams } from './members.ts'
import type { Members, Teams } from './members.ts'
import { createOwners } from './owners.ts'
import type { Owners } from './owners.ts'
import type { OrganizationsDeps } from './organizations-deps.ts'
import { createRepositories } from './repositories.ts'
import type { Repositories } from './repositories.ts'

export interface Organizations {
  readonly owners: Owners
  readonly members: Members
  readonly teams: Teams
  readonly repositories: Repositories
}

export function openOrganizations(deps: OrganizationsDeps): Organizations {
  return {
    owners: createOwners(deps),
    members: createMembers(deps),
    teams: createTeams(deps),
    repositories: createRepositories(deps),
  }
}
