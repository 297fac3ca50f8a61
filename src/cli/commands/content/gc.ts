/** `lading gc --accept-store`: the word of an operator that lets the sweep judge everything in the blob store. */
import { CliError, misuse } from '../../frame/command.ts'
import type { Command } from '../../frame/command.ts'
import { formatTime } from '../../frame/output.ts'
import { defineServiceCommand } from '../../services/service-command.ts'

const acceptFlag = '--accept-store'

const gcCommand = defineServiceCommand({
  name: 'gc',
  summary:
    'Accept the blob store as it is: sweeps may move aside everything that is in it now and has no row in the database, even if it is older than the database or more than a tenth of the store. A sweep runs when the server starts and every six hours; it moves what has not changed for a day, and deletes that seven days later.',
  options: [
    {
      name: acceptFlag,
      type: 'switch',
      summary: 'Required. It says that this database is the right one and complete.',
    },
  ],
  jsonShape: '{"installation": string, "acceptedAt": string}',
  run: async ({ arguments: args, acceptStore, actor, print }) => {
    if (!args.has(acceptFlag)) {
      throw misuse(
        `${acceptFlag} is missing: lading gc ${acceptFlag} lets sweeps set aside everything in the blob store that no row of the database names, so run it only when this database is the right one and complete`,
      )
    }
    const accepted = await acceptStore(actor)
    if (accepted === undefined) {
      throw new CliError('this database has no blob store yet: lading serve gives it one at its first start')
    }
    const { installation } = accepted
    const acceptedAt = new Date(accepted.acceptedAt)
    print(
      { installation, acceptedAt },
      `accepted the store of installation ${installation}; sweeps set aside what was in it before ${formatTime(acceptedAt)} and has no row, once it has not changed for a day`,
    )
  },
})

export const gcCommands: readonly Command[] = [gcCommand]
