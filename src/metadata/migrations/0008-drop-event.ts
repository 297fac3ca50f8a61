/**
 * Drops `event`, which the audit replaces. Rows from before the audit move there; the other rows already have an audit
 * event, which was written in the same transaction.
 */
import type { Migration } from './migration.ts'

export const dropEvent: Migration = () => [
  `insert into audit_event
    (at, action, outcome, actor, actor_name, credential, target_kind, target, target_owner, detail)
    select event.at, event.kind, 'done', event.actor,
      coalesce((
        select account.name from account where event.actor = account.kind || ':' || account.id
      ), ''),
      event.credential, 'repository', repository.name, owner.name,
      '{' || case when event.tag is null then '' else '"tag":"' || event.tag || '",' end
        || '"digest":"' || coalesce(event.digest_after, event.digest_before) || '"'
        || case when event.digest_after is null or event.digest_before is null then ''
          else ',"before":"' || event.digest_before || '"' end
        || '}'
    from event
      join repository on repository.id = event.repository_id
      join owner on owner.id = repository.owner_id
    where event.at < (select applied_at from schema_migration where name = '0005-audit')
    order by event.id`,
  'drop table event',
]
