/** The closed lists of audit actions and outcomes. Each text says when the word is written, for `docs/audit.md`. */

export const auditActions = {
  login:
    'a name and password, a refresh token or an access token was checked; a credential that the process has already verified is not checked again',
  push: 'a push was refused, or a push token was refused to a client that may not pull either; at most once a minute for each principal and repository',
  delete:
    'a deletion was refused, or a token for a deletion; at most once a minute for each principal and repository',
  manage:
    'a change through the management API was refused; at most once a minute for each principal and target',
  pull: 'a manifest was pulled; only for the fraction of pulls in `audit.pulls`',
  'blob.push': 'a blob was pushed',
  'blob.mount': 'a blob of another repository was mounted',
  'blob.delete': 'a blob was removed from a repository',
  'manifest.push': 'a manifest was pushed, even if it already existed',
  'manifest.delete': 'a manifest was deleted',
  'tag.create': 'a new tag was created',
  'tag.move': 'a tag was moved to another manifest',
  'tag.delete': 'a tag was deleted, by itself or with its manifest',
  'repository.visibility': 'the visibility of a repository was changed',
  'repository.delete': 'a repository was deleted',
  'user.create': 'a user was created',
  'user.disable': 'a user was disabled',
  'user.enable': 'a user was enabled',
  'user.password': 'a password was set',
  'user.administrator': 'a user became an administrator, or is no longer one',
  'user.delete': 'a user was deleted',
  'organization.create': 'an organization was created',
  'organization.delete': 'an organization was deleted',
  'owner.rename': 'a user or an organization was renamed',
  'owner.visibility': 'the visibility of an owner was changed',
  'member.add': 'a user became a member of an organization',
  'member.remove': 'a user is no longer a member of an organization',
  'team.create': 'a team was created',
  'team.delete': 'a team was deleted',
  'team.add': 'a member joined a team',
  'team.remove': 'a member left a team',
  'grant.create': 'a role was granted',
  'grant.delete': 'a grant was removed',
  'role.create': 'a role was created',
  'role.delete': 'a role was deleted',
  'robot.create': 'a robot was created',
  'robot.disable': 'a robot was disabled',
  'robot.enable': 'a robot was enabled',
  'robot.delete': 'a robot was deleted',
  'access-token.create': 'an access token was created',
  'access-token.rotate': 'an access token was replaced by a new one',
  'access-token.revoke': 'an access token was revoked, or all access tokens of an account',
  'session.create': 'a browser session began',
  'session.end': 'a browser session was ended',
  'refresh-token.revoke': 'a refresh token was revoked',
  'audit.loss':
    'events were not recorded, because too many arrived or the database did not accept them; the detail counts them by kind, at most once a minute',
  'store.adopt': 'the database adopted a blob store that belonged to another database or to none',
  'store.accept':
    'an operator accepted the blob store as it is, so that the sweep may remove all bytes in it without a row',
  'signing-key.rotate': 'a new key signs bearer tokens from now on',
} as const satisfies Readonly<Record<string, string>>

export type AuditAction = keyof typeof auditActions

export const auditOutcomes = {
  done: 'a change was made; the event is written in the same transaction',
  denied: 'the request was refused for missing rights',
  granted: 'a login succeeded',
  'wrong-password': 'the password was wrong',
  unknown: 'the account or token does not exist',
  disabled: 'the account is disabled',
  expired: 'the token has expired',
  revoked: 'the token was revoked, or was issued for an earlier password',
  throttled: 'too many logins failed before; at most once a minute for each address',
} as const satisfies Readonly<Record<string, string>>

export type AuditOutcome = keyof typeof auditOutcomes

export type LoginOutcome = Exclude<AuditOutcome, 'done' | 'denied'>
