/** `lading access explain|who-can`: explains a decision, and lists everyone who may do something. */
import { roleActions } from '../../../access/permissions.ts'
import type { AccessExplain, Holder } from '../../../access/explain/access-explain.ts'
import { parseId } from '../../services/list-pages.ts'
import { belowOwner } from './grant.ts'
import { parseChoice } from '../../frame/arguments.ts'
import type { Command } from '../../frame/command.ts'
import { defineServiceCommand } from '../../services/service-command.ts'

const pageSize = 500

const explainCommand = defineServiceCommand({
  name: 'access explain',
  failsIf: 'the access is refused',
  summary: 'Explain whether and why a user, a robot or anonymous may do something in a repository.',
  arguments: [{ name: '<principal>' }, { name: '<action>', choices: roleActions }, { name: '<repository>' }],
  options: [
    {
      name: '--token',
      type: 'text',
      value: '<id>',
      summary: 'Explain a request with this access token of the principal.',
    },
  ],
  jsonShape:
    '{"allowed": boolean, "text": string, "grant"?: number, "remedy"?: {"role": string, "on": string}}',
  run: async ({ arguments: args, access, print }) => {
    const [principal = '', action, repository = ''] = args.words
    const id = args.value('--token')
    const token = id === undefined ? undefined : parseId(id)
    const asked = { principal, token, action: parseChoice('<action>', action, roleActions), repository }
    const { allowed, text, grantId: grant, remedy } = await access.explain(asked)
    print({ allowed, text, grant, remedy }, text)
    return allowed
  },
})

const whoCanCommand = defineServiceCommand({
  name: 'access who-can',
  summary: `List everyone who may do something in at least one of the repositories. ${belowOwner}`,
  arguments: [{ name: '<action>', choices: roleActions }, { name: '<owner>' }, { name: '<repositories>' }],
  jsonShape:
    '[{"kind": "anyone" | "users" | "administrators" | "user" | "robot", "name": string, "because": string, "grant"?: number}]',
  run: async ({ arguments: { words }, access, printTable }) => {
    const [action, owner = '', repositories = ''] = words
    const asked = { action: parseChoice('<action>', action, roleActions), owner, repositories }
    const all = await Array.fromAsync(listHolders(access, asked))
    const rows = all.map(({ kind, name, because, grantId: grant }) => ({ kind, name, because, grant }))
    printTable(rows, { WHO: formatHolder, BECAUSE: ({ because }) => because })
  },
})

async function* listHolders(
  access: AccessExplain,
  asked: Pick<Parameters<AccessExplain['whoCan']>[0], 'action' | 'owner' | 'repositories'>,
): AsyncGenerator<Holder> {
  let after: string | undefined
  do {
    const page = await access.whoCan({ ...asked, after, limit: pageSize })
    yield* page.holders
    ;({ after } = page)
  } while (after !== undefined)
}

function formatHolder({ kind, name }: Pick<Holder, 'kind' | 'name'>): string {
  if (kind === 'anyone' || kind === 'administrators') return kind
  return kind === 'users' ? 'every user' : `${kind} ${name}`
}

export const accessCommands: readonly Command[] = [explainCommand, whoCanCommand]
