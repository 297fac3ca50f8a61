/** `lading gc --accept-store`: the word of an operator that lets the sweep judge everything in the blob store. */
import { CliError, misused } from './command.ts'
import type { Command } from './command.ts'
import { defineServiceCommand, formatTime } from './service-command.ts'

const acceptFlag = '--accept-store'

const gcCommand = defineServiceCommand({
  name: 'gc',
  summary:
    'Accept the blob store as it is: what is in it now and has no row in the database may be moved aside, even where it is older than the database or more than a tenth of the store. The next sweep does that (at the start of the server, then every six hours), and deletes it seven days later.',
  flags: [{ name: acceptFlag, summary: 'Required: says that this database is the right one and complete.' }],
  jsonShape: '{"installation": string, "acceptedAt": string}',
  run: async ({ arguments: args, acceptStore, actor, print }) => {
    if (!args.has(acceptFlag)) {
      throw new CliError(
        `${acceptFlag} is missing: lading gc ${acceptFlag} lets the next sweep set aside everything in the blob store that no row of the database names`,
        { exitCode: misused },
      )
    }
    const accepted = await acceptStore(actor)
    if (accepted === undefined) {
      throw new CliError('this database has no blob store yet: lading serve gives it one at its first start')
    }
    const { installation, acceptedAt } = accepted
    print(
      { installation, acceptedAt: formatTime(acceptedAt) },
      `the store of installation ${installation} is accepted; the next sweep sets aside what has no row and is older than ${formatTime(acceptedAt)}`,
    )
  },
})

export const gcCommands: readonly Command[] = [gcCommand]
