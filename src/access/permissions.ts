/**
 * The permissions in a repository. Roles, grants and access tokens name actions; `push` stands for both kinds of push.
 * `manage` covers the settings of a repository, `administer` its rights, for the whole owner if the grant covers it.
 */
export const permissions = ['pull', 'push:create', 'push:update', 'delete', 'manage', 'administer'] as const

export type Permission = (typeof permissions)[number]

/** An action as roles and tokens spell it. */
export type RoleAction = Permission | 'push'

export const roleActions: readonly RoleAction[] = ['pull', 'push', ...permissions.slice(1)]

export function isRoleAction(text: string): text is RoleAction {
  return (roleActions as readonly string[]).includes(text)
}

/** Each permission once, in the order of `permissions`. */
export function expandActions(actions: Iterable<RoleAction>): Permission[] {
  const named = new Set<RoleAction>(actions)
  const expanded = permissions.filter(
    (permission) => named.has(permission) || (permission.startsWith('push:') && named.has('push')),
  )
  return expanded
}
