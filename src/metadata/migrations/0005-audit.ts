/** The audit: one table for all events, logins included. */
import type { ColumnTypes } from './column-types.ts'

export function auditSchema({ id, text, integer, rowTable }: ColumnTypes): readonly string[] {
  return [
    `create table audit_event (
      id ${id},
      at ${integer} not null,
      action ${text} not null,
      outcome ${text} not null,
      actor ${text} not null,
      actor_name ${text} not null,
      credential ${text},
      target_kind ${text},
      target ${text},
      target_owner ${text},
      address ${text},
      client ${text},
      request_id ${text},
      detail ${text}
    ) ${rowTable}`,
    'create index audit_event_at on audit_event (at, id)',
    'create index audit_event_actor on audit_event (actor_name, at, id)',
    'create index audit_event_action on audit_event (action, at, id)',
    `create index audit_event_outcome on audit_event (outcome, at, id) where outcome <> 'done'`,
    'create index audit_event_target on audit_event (target, at, id) where target is not null',
    'create index audit_event_owner on audit_event (target_owner, at, id) where target_owner is not null',
    ...moveLogins,
  ]
}

/** A proven login is an act of the account; any other is an anonymous attempt on it. */
const moveLogins: readonly string[] = [
  `insert into audit_event
      (at, action, outcome, actor, actor_name, credential, target_kind, target, target_owner, address, client)
    select login_event.at, 'login', login_event.outcome,
      case when account.id is not null and login_event.outcome = 'granted'
        then 'user:' || cast(account.id as text) else 'anonymous' end,
      case when login_event.outcome = 'granted' then coalesce(account.name, '') else '' end,
      login_event.method,
      case when account.id is not null then 'user' end, account.name, account.name,
      login_event.address, login_event.client
    from login_event left join account on account.id = login_event.account_id
    order by login_event.id`,
  'drop table login_event',
]
