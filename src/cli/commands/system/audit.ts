/** `lading audit search|export`: who did what. Nothing here changes it. */
import { auditActions, auditOutcomes } from '../../../metadata/audit/audit-actions.ts'
import type { AuditAction, AuditOutcome } from '../../../metadata/audit/audit-actions.ts'
import type { AuditEvent, AuditFilter } from '../../../metadata/audit/audit-events.ts'
import { parseChoice } from '../../frame/arguments.ts'
import type { Arguments } from '../../frame/arguments.ts'
import { CliError, misused } from '../../frame/command.ts'
import type { Command, CommandFlag } from '../../frame/command.ts'
import { defineServiceCommand, formatTable, formatTime } from '../../services/service-command.ts'

const actions = Object.keys(auditActions) as AuditAction[]
const outcomes = Object.keys(auditOutcomes) as AuditOutcome[]

const defaultLimit = 100
const maxLimit = 10_000

const filterFlags: readonly CommandFlag[] = [
  { name: '--actor', value: '<name>', summary: 'Done by this user or robot, or by this user of the system.' },
  { name: '--action', value: '<action>', summary: 'Of this kind, `tag.move`; `docs/audit.md` lists them.' },
  {
    name: '--target',
    value: '<name>',
    summary: 'Done to this; with a slash at its end to all below it: `acme/`.',
  },
  {
    name: '--outcome',
    value: '<outcome>',
    summary: 'With this outcome: `done`, `denied`, `wrong-password`, ...',
  },
  {
    name: '--since',
    value: '<time>',
    summary: 'From then on: `2026-01-31`, `2026-01-31T12:00:00Z`, or `7d`, `12h` ago.',
  },
  { name: '--until', value: '<time>', summary: 'Before then.' },
]

const eventShape =
  '{"id": number, "at": string, "action": string, "outcome": string, "actor": {"id": string, "name": string}, "credential"?: string, "target"?: {"kind": string, "name": string}, "address"?: string, "client"?: string, "requestId"?: string, "detail"?: object}'

const searchCommand = defineServiceCommand({
  name: 'audit search',
  summary: 'Show who did what, newest first.',
  flags: [
    ...filterFlags,
    {
      name: '--limit',
      value: '<number>',
      summary: `So many at most; ${defaultLimit} by default, up to ${maxLimit}.`,
    },
  ],
  jsonShape: `[${eventShape}]`,
  run: async ({ arguments: args, audit, print }) => {
    const events = await audit.search({ filter: readFilter(args), limit: readLimit(args.value('--limit')) })
    print(
      events.map((event) => toJson(event)),
      formatTable([
        ['TIME', 'ACTION', 'OUTCOME', 'ACTOR', 'TARGET', 'FROM', 'DETAIL'],
        ...events.map((event) => toRow(event)),
      ]),
    )
  },
})

const exportCommand = defineServiceCommand({
  name: 'audit export',
  summary: 'Write who did what as JSON, one event a line, oldest first.',
  flags: filterFlags,
  jsonShape: `${eventShape}, one a line, also without \`--json\``,
  run: async ({ arguments: args, audit, host }) => {
    for await (const events of audit.export(readFilter(args))) {
      for (const event of events) host.out(JSON.stringify(toJson(event)))
    }
  },
})

function readFilter(args: Arguments): AuditFilter {
  return {
    actor: args.value('--actor'),
    target: args.value('--target'),
    action: readWord(args, '--action', actions),
    outcome: readWord(args, '--outcome', outcomes),
    since: readTime('--since', args.value('--since')),
    until: readTime('--until', args.value('--until')),
  }
}

function readWord<T extends string>(args: Arguments, flag: string, words: readonly T[]): T | undefined {
  const word = args.value(flag)
  return word === undefined ? undefined : parseChoice(flag, word, words)
}

const unitsMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

function readTime(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  if (count !== undefined) return Date.now() - Number(count) * unitsMs[unit as keyof typeof unitsMs]
  const isForm = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?$/.test(text)
  const time = isForm ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(time)) return time
  throw new CliError(
    `${flag} ${text} is no time; write 2026-01-31, 2026-01-31T12:00:00Z, or 7d, 12h, 30m for ago`,
    {
      exitCode: misused,
    },
  )
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return defaultLimit
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= maxLimit) return limit
  throw new CliError(`--limit must be a number from 1 to ${maxLimit}`, { exitCode: misused })
}

function toJson({ at, actor, ...event }: AuditEvent): Record<string, unknown> {
  const { id, action, outcome, target, detail } = event
  const { credential, address, client, requestId } = actor
  return {
    id,
    at: new Date(at).toISOString(),
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

function toRow({ at, action, outcome, actor, target, detail }: AuditEvent): string[] {
  const isKindOnly = actor.name === '' || actor.id === 'operator'
  const who = isKindOnly ? `${actor.id} ${actor.name}`.trimEnd() : actor.name
  const what = Object.entries(detail ?? {}).map(([name, value]) => `${name}=${String(value)}`)
  return [formatTime(at), action, outcome, who, target?.name ?? '-', actor.address ?? '-', what.join(' ')]
}

export const auditCommands: readonly Command[] = [searchCommand, exportCommand]
