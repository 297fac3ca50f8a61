/** `lading user|org show|visibility|rename|delete`: the commands for users and organizations as owners. */
import { formatCount } from '../../../lib/format-count.ts'
import type { OwnerDetails, OwnerKind, Owners } from '../../../organizations/owners.ts'
import { parseChoice } from '../../frame/arguments.ts'
import { CliError } from '../../frame/command.ts'
import type { Command } from '../../frame/command.ts'
import { formatTime } from '../../frame/output.ts'
import { confirmPurge, yesOption } from './confirm-purge.ts'
import { defineServiceCommand } from '../../services/service-command.ts'

export const visibilities = ['private', 'internal', 'public'] as const

interface Form {
  readonly kind: OwnerKind
  /** The first word of its commands. */
  readonly group: 'user' | 'org'
}

export function defineOwnerCommands(form: Form): readonly Command[] {
  return [showCommand(form), visibilityCommand(form), renameCommand(form), deleteCommand(form)]
}

function showCommand({ kind, group }: Form): Command {
  return defineServiceCommand({
    name: `${group} show`,
    summary: `Show the ${kind} as an owner of repositories, with its former names.`,
    arguments: [{ name: '<name>' }],
    jsonShape:
      '{"name": string, "kind": "user" | "organization", "visibility": string, "createdAt": string, "formerNames": string[]}',
    run: async ({ arguments: { words }, owners, print }) => {
      const { name, visibility, createdAt, formerNames } = await getOwner(owners, kind, words[0])
      const shown = { name, kind, visibility, createdAt: new Date(createdAt), formerNames }
      print(shown, [
        `${name} is ${kind === 'user' ? 'a user' : 'an organization'}, ${visibility}, since ${formatTime(shown.createdAt)}`,
        ...(formerNames.length === 0 ? [] : [`pulls still work under ${formerNames.join(', ')}`]),
      ])
    },
  })
}

function visibilityCommand({ kind, group }: Form): Command {
  return defineServiceCommand({
    name: `${group} visibility`,
    summary: `Limit the visibility of all repositories below the name: ${visibilities.join(', ')}. A repository can be stricter.`,
    arguments: [{ name: '<name>' }, { name: '<visibility>', choices: visibilities }],
    jsonShape: '{"name": string, "visibility": string, "before": string}',
    run: async ({ arguments: { words }, owners, actor, print }) => {
      const visibility = parseChoice('<visibility>', words[1], visibilities)
      const { name } = await getOwner(owners, kind, words[0])
      const before = await owners.setVisibility(name, visibility, actor)
      print({ name, visibility, before }, `${name} is ${visibility} now (it was ${before})`)
    },
  })
}

function renameCommand({ kind, group }: Form): Command {
  return defineServiceCommand({
    name: `${group} rename`,
    summary: `Rename the ${kind}, with all of its repositories, robots and tokens. Pulls still work under the former name, which no one else can take.`,
    arguments: [{ name: '<name>' }, { name: '<new-name>' }],
    jsonShape: '{"name": string, "before": string, "repositories": number}',
    run: async ({ arguments: { words }, owners, actor, print }) => {
      const [name = '', newName = ''] = words
      const { repositories } = await owners.rename({ kind, name, newName }, actor)
      print(
        { name: newName, before: name, repositories },
        `renamed ${name} to ${newName}, with ${formatCount(repositories, 'repository', 'repositories')}; pulls still work under ${name}`,
      )
    },
  })
}

function deleteCommand({ kind, group }: Form): Command {
  return defineServiceCommand({
    name: `${group} delete`,
    summary: `Delete the ${kind} with its robots, tokens and grants. This cannot be undone.`,
    arguments: [{ name: '<name>' }],
    options: [
      {
        name: '--purge',
        type: 'switch',
        summary:
          'Also delete the repositories below the name. The command lists them and asks for confirmation.',
      },
      yesOption,
    ],
    jsonShape: '{"name": string, "deleted": true}',
    run: async (invocation) => {
      const { arguments: args, owners, actor, print } = invocation
      const [name = ''] = args.words
      const purge = args.has('--purge')
      if (purge) {
        await getOwner(owners, kind, name)
        await confirmPurge(invocation, name)
      }
      await owners.delete(name, { kind, purge }, actor)
      print({ name, deleted: true }, `deleted ${name}`)
    },
  })
}

async function getOwner(owners: Owners, kind: OwnerKind, name = ''): Promise<OwnerDetails> {
  const owner = await owners.find(name)
  if (owner?.kind === kind) return owner
  throw new CliError(`there is no ${kind} ${name}`)
}
