/** `lading access explain|who-can`: why someone may do something, and who may. */
import { roleActions } from '../../../access/permissions.ts'
import type { AccessExplain, Holder } from '../../../access/explain/access-explain.ts'
import { belowOwner, parseId } from '../../services/list-pages.ts'
import { parseChoice } from '../../frame/arguments.ts'
import type { Command } from '../../frame/command.ts'
import { defineServiceCommand, formatTable } from '../../services/service-command.ts'

const pageSize = 500

const explainCommand = defineServiceCommand({
  name: 'access explain',
  summary: 'Say whether a user, a robot or anonymous may do something in a repository, and why.',
  words: ['<principal>', '<action>', '<repository>'],
  flags: [
    { name: '--token', value: '<id>', summary: 'Explain a request with this access token of the principal.' },
  ],
  jsonShape:
    '{"allowed": boolean, "text": string, "grantId": number | null, "remedy": {"role": string, "on": string} | null}',
  run: async ({ arguments: args, access, print }) => {
    const [principal = '', action, repository = ''] = args.words
    const id = args.value('--token')
    const token = id === undefined ? undefined : parseId(id)
    const asked = { principal, token, action: parseChoice('<action>', action, roleActions), repository }
    const { allowed, text, grantId = null, remedy = null } = await access.explain(asked)
    print({ allowed, text, grantId, remedy }, text)
  },
})

const whoCanCommand = defineServiceCommand({
  name: 'access who-can',
  summary: `List who may do something in at least one of the repositories. ${belowOwner}`,
  words: ['<action>', '<owner>', '<repositories>'],
  jsonShape:
    '[{"kind": "anyone" | "users" | "user" | "robot", "name": string, "because": string, "grantId": number | null}]',
  run: async ({ arguments: { words }, access, print }) => {
    const [action, owner = '', repositories = ''] = words
    const asked = { action: parseChoice('<action>', action, roleActions), owner, repositories }
    const all = await Array.fromAsync(listHolders(access, asked))
    print(
      all.map(({ grantId = null, ...holder }) => ({ ...holder, grantId })),
      formatTable([['WHO', 'BECAUSE'], ...all.map((holder) => [formatHolder(holder), holder.because])]),
    )
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

function formatHolder({ kind, name }: Holder): string {
  if (kind === 'anyone' || kind === 'administrators') return kind
  return kind === 'users' ? 'every user' : `${kind} ${name}`
}

export const accessCommands: readonly Command[] = [explainCommand, whoCanCommand]
