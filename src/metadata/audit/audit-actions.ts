/** What the audit records: a closed list. Each line says when it is written, for the manual (`docs/audit.md`). */

export const auditActions = {
  login:
    'a name and password, a refresh token or an access token was checked; what was proven before is not checked again',
  push: 'a push was refused, or a token for it that allows no pull either; at most once a minute for each principal and repository',
  delete:
    'a deletion was refused, or a token for it; at most once a minute for each principal and repository',
  manage: 'a change by the management API was refused; at most once a minute for each principal and target',
  pull: 'a manifest was pulled; only where `audit.pulls` asks for it, and then of a sample',
  'blob.push': 'a blob was pushed',
  'blob.mount': 'a blob of another repository was made visible',
  'blob.delete': 'a blob was taken out of a repository',
  'manifest.push': 'a manifest was pushed, also one that was there',
  'manifest.delete': 'a manifest was deleted',
  'tag.create': 'a tag that was not there was made',
  'tag.move': 'a tag was pointed at another manifest',
  'tag.delete': 'a tag was deleted, by itself or with its manifest',
  'repository.visibility': 'the visibility of a repository was changed',
  'repository.delete': 'a repository was deleted',
  'user.create': 'a user was made',
  'user.disable': 'a user was disabled',
  'user.enable': 'a user was enabled',
  'user.password': 'a password was set',
  'user.administrator': 'a user became an administrator, or is none any more',
  'user.delete': 'a user was deleted',
  'organization.create': 'an organization was made',
  'organization.delete': 'an organization was deleted',
  'owner.rename': 'a user or an organization was renamed',
  'owner.visibility': 'the visibility that an owner allows was changed',
  'member.add': 'a user became a member of an organization',
  'member.remove': 'a user is no member of an organization any more',
  'team.create': 'a team was made',
  'team.delete': 'a team was deleted',
  'team.add': 'a member came into a team',
  'team.remove': 'a member left a team',
  'grant.create': 'a role was granted',
  'grant.delete': 'a grant was taken back',
  'role.create': 'a role was made',
  'role.delete': 'a role was deleted',
  'robot.create': 'a robot was made',
  'robot.disable': 'a robot was disabled',
  'robot.enable': 'a robot was enabled',
  'robot.delete': 'a robot was deleted',
  'access-token.create': 'an access token was made',
  'access-token.rotate': 'an access token was replaced by another one',
  'access-token.revoke': 'an access token was revoked, or all of an account',
  'session.create': 'a browser session began',
  'session.end': 'a browser session was ended',
  'refresh-token.revoke': 'a refresh token was revoked',
  'audit.loss':
    'events were not recorded, because too many came or the database did not take them; the detail counts them by kind, at most once a minute',
  'store.adopt': 'the database took over a blob store of another one, or of none',
  'store.accept': 'an operator allowed the sweep to judge everything in the blob store',
  'signing-key.rotate': 'a new key signs bearer tokens from now on',
} as const satisfies Readonly<Record<string, string>>

export type AuditAction = keyof typeof auditActions

export const auditOutcomes = {
  done: 'a change was made; it is written in the transaction that made it',
  denied: 'it was refused for missing rights',
  granted: 'a login was proven',
  'wrong-password': 'the password was wrong',
  unknown: 'there is no such account or token',
  disabled: 'the account is disabled',
  expired: 'the token has expired',
  revoked: 'the token was revoked, or is of an older password',
  throttled: 'too many logins failed just before; at most once a minute for each address',
} as const satisfies Readonly<Record<string, string>>

export type AuditOutcome = keyof typeof auditOutcomes

export type LoginOutcome = Exclude<AuditOutcome, 'done' | 'denied'>
