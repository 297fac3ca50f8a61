/** Manages the settings of repositories and deletes them. `registry/` manages their content. */
import type { Actor } from '../identity/actor.ts'
import { requireStanding } from '../identity/actor-standing.ts'
import { deleteRepository } from '../metadata/deletion/repository-deletion.ts'
import {
  findRepositoryAccess,
  listRepositoryAccess,
  setRepositoryVisibility,
} from '../metadata/repositories/repositories.ts'
import type { RepositoryAccess } from '../metadata/repositories/repositories.ts'
import type { Visibility } from '../metadata/owners/schema.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import { repositoryUnknown } from './errors.ts'
import { opens } from './opens.ts'
import type { OrganizationsDeps } from './organizations-deps.ts'

export type { Visibility }

export type ListedRepository = RepositoryAccess & { readonly name: RepositoryName }

export interface Repositories {
  /** Lists repositories in byte order of their names, after `after` (exclusive), optionally of one owner. */
  list(page: {
    readonly owner?: string | undefined
    readonly after?: string | undefined
    readonly limit: number
  }): Promise<ListedRepository[]>
  /** Finds a repository with the visibility of its owner. */
  find(name: RepositoryName): Promise<RepositoryAccess | undefined>
  /** Returns the previous visibility. Throws `RepositoryUnknownError`. */
  setVisibility(name: RepositoryName, visibility: Visibility, actor: Actor): Promise<Visibility>
  /** Hides the repository at once and resolves when its rows are deleted. Throws `RepositoryUnknownError`. */
  delete(name: RepositoryName, actor: Actor): Promise<void>
}

export function createRepositories(deps: OrganizationsDeps): Repositories {
  const { reader } = deps.metadata
  return {
    list: (page) => listOf(deps, page),
    find: async (name) => findRepositoryAccess(reader, name),
    setVisibility: (name, visibility, actor) => setVisibility(deps, { name, visibility }, actor),
    async delete(name, actor) {
      if (!(await deleteWhole(deps, { name }, actor))) throw repositoryUnknown(name)
      await deps.metadata.flush()
    },
  }
}

async function listOf(
  { metadata }: OrganizationsDeps,
  { owner, after, limit }: Parameters<Repositories['list']>[0],
): Promise<ListedRepository[]> {
  if (owner === undefined) return listRepositoryAccess(metadata.reader, { after, limit })
  const first = `${owner}/`
  const from = after === undefined || after < first ? first : after
  const listed = await listRepositoryAccess(metadata.reader, { after: from, limit })
  // Names below one owner are adjacent.
  return listed.filter(({ name }) => name.startsWith(first))
}

function setVisibility(
  { metadata, audit, clock }: OrganizationsDeps,
  { name, visibility }: { readonly name: RepositoryName; readonly visibility: Visibility },
  actor: Actor,
): Promise<Visibility> {
  return metadata.transact(async (tx) => {
    const before = await setRepositoryVisibility(tx, { name, visibility })
    if (before === undefined) throw repositoryUnknown(name)
    if (opens(before, visibility)) await requireStanding(tx, actor, clock)
    const target = { kind: 'repository', name } as const
    const detail = { visibility, before }
    await audit.change(tx, actor, { action: 'repository.visibility', outcome: 'done', target, detail })
    return before
  })
}

/** Returns whether the repository existed. Not durable before the next `Metadata.flush` or durable transaction. */
export function deleteWhole(
  { metadata, clock, audit }: OrganizationsDeps,
  { name, ownerId }: { readonly name: RepositoryName; readonly ownerId?: number | undefined },
  actor: Actor,
): Promise<boolean> {
  const target = { kind: 'repository', name } as const
  return deleteRepository(metadata, {
    name,
    ownerId,
    now: clock.now(),
    onGone: (tx) => audit.change(tx, actor, { action: 'repository.delete', outcome: 'done', target }),
  })
}
