/** `lading audit search|export`: reads the audit, which no command changes. */
import { auditActions, auditOutcomes } from '../../../metadata/audit/audit-actions.ts'
import type { AuditAction, AuditOutcome } from '../../../metadata/audit/audit-actions.ts'
import type { AuditEvent, AuditFilter } from '../../../metadata/audit/audit-events.ts'
import { parseChoice } from '../../frame/arguments.ts'
import type { Arguments } from '../../frame/arguments.ts'
import type { Command, CommandOption } from '../../frame/command.ts'
import { parsePast } from '../../frame/times.ts'
import { defineServiceCommand } from '../../services/service-command.ts'

const actions = Object.keys(auditActions) as AuditAction[]
const outcomes = Object.keys(auditOutcomes) as AuditOutcome[]

const maxLimit = 10_000

const filterOptions: readonly CommandOption[] = [
  {
    name: '--actor',
    type: 'text',
    value: '<name>',
    summary: 'Only events of this user, robot or operating system user.',
  },
  {
    name: '--action',
    type: 'text',
    value: '<action>',
    choices: actions,
    summary: 'Only events of this kind, for example `tag.move`; docs/audit.md lists them.',
  },
  {
    name: '--target',
    type: 'text',
    value: '<name>',
    summary: 'Only events on this name or, if it ends in a slash like `acme/`, on all names below it.',
  },
  {
    name: '--outcome',
    type: 'text',
    value: '<outcome>',
    choices: outcomes,
    summary: 'Only events with this outcome.',
  },
  {
    name: '--since',
    type: 'time',
    value: '<time>',
    summary:
      'Only events since this time: `2026-01-31`, `2026-01-31T12:00:00Z`, or an age like `7d` or `12h`.',
  },
  { name: '--until', type: 'time', value: '<time>', summary: 'Only events before this time.' },
]

const eventShape =
  '{"id": number, "at": string, "action": string, "outcome": string, "actor": {"id": string, "name": string}, "credential"?: string, "target"?: {"kind": string, "name": string}, "address"?: string, "client"?: string, "requestId"?: string, "detail"?: object}'

const searchCommand = defineServiceCommand({
  name: 'audit search',
  summary: 'Show who did what, newest first.',
  options: [
    ...filterOptions,
    {
      name: '--limit',
      type: 'number',
      range: [1, maxLimit],
      default: '100',
      summary: 'Show at most this many events.',
    },
  ],
  jsonShape: `[${eventShape}]`,
  run: async ({ arguments: args, audit, printTable }) => {
    const events = await audit.search({ filter: readFilter(args), limit: Number(args.value('--limit')) })
    printTable(events.map(describe), {
      TIME: ({ at }) => at,
      ACTION: ({ action }) => action,
      OUTCOME: ({ outcome }) => outcome,
      ACTOR: ({ actor }) => formatActor(actor),
      TARGET: ({ target }) => target?.name,
      FROM: ({ address }) => address,
      DETAIL: ({ detail }) => formatDetail(detail),
    })
  },
})

const exportCommand = defineServiceCommand({
  name: 'audit export',
  summary: 'Write the audit as JSON, one event per line, oldest first.',
  options: filterOptions,
  jsonShape: `${eventShape}, one per line, with or without the flag`,
  run: async ({ arguments: args, audit, printJson }) => {
    for await (const events of audit.export(readFilter(args))) {
      for (const event of events) printJson(describe(event))
    }
  },
})

function readFilter(args: Arguments): AuditFilter {
  return {
    actor: args.value('--actor'),
    target: args.value('--target'),
    action: readWord(args, '--action', actions),
    outcome: readWord(args, '--outcome', outcomes),
    since: readTime(args, '--since'),
    until: readTime(args, '--until'),
  }
}

function readWord<T extends string>(args: Arguments, flag: string, words: readonly T[]): T | undefined {
  const word = args.value(flag)
  return word === undefined ? undefined : parseChoice(flag, word, words)
}

function readTime(args: Arguments, option: string): number | undefined {
  const text = args.value(option)
  return text === undefined ? undefined : parsePast(option, text, Date.now())
}

function describe({ at, actor, ...event }: AuditEvent) {
  const { id, action, outcome, target, detail } = event
  const { credential, address, client, requestId } = actor
  return {
    id,
    at: new Date(at),
    action,
    outcome,
    actor: { id: actor.id, name: actor.name },
    credential,
    target,
    address,
    client,
    requestId,
    detail,
  }
}

/** Returns the name of a user or robot. Anonymous callers and operators also have their kind. */
function formatActor({ id, name }: { readonly id: string; readonly name: string }): string {
  const isKindOnly = name === '' || id === 'operator'
  return isKindOnly ? `${id} ${name}`.trimEnd() : name
}

function formatDetail(detail: AuditEvent['detail']): string {
  const entries = Object.entries(detail ?? {})
  return entries.map(([name, value]) => `${name}=${String(value)}`).join(' ')
}

export const auditCommands: readonly Command[] = [searchCommand, exportCommand]
