/** `lading gc --accept-store`: lets sweeps judge everything in the blob store because an operator says so. */
import { CliError, misuse } from '../../frame/command.ts'
import type { Command } from '../../frame/command.ts'
import { formatTime } from '../../frame/output.ts'
import { defineServiceCommand } from '../../services/service-command.ts'

const acceptFlag = '--accept-store'

const gcCommand = defineServiceCommand({
  name: 'gc',
  summary:
    'Accept the blob store as it is: sweeps may set aside all current content without a row in the database, even if it is older than the database or more than a tenth of the store. A sweep runs when the server starts and every six hours. It sets aside such content once it has not changed for a day, and deletes it seven days later.',
  options: [
    {
      name: acceptFlag,
      type: 'switch',
      summary: 'Required. Confirms that this database is the right one and is complete.',
    },
  ],
  jsonShape: '{"installation": string, "acceptedAt": string}',
  run: async ({ arguments: args, acceptStore, actor, config, print }) => {
    if (!args.has(acceptFlag)) {
      throw misuse(
        `${acceptFlag} is missing: lading gc ${acceptFlag} lets sweeps set aside everything in the blob store that has no row in the database; run it only if this database is the right one and is complete`,
      )
    }
    const { peekStore } = await import('../../../app/open-store.ts')
    const { installationId } = await peekStore(config)
    const accepted = await acceptStore(actor, installationId)
    if (accepted === undefined) {
      throw new CliError('this database has no blob store yet; lading serve creates it at the first start')
    }
    const { installation } = accepted
    const acceptedAt = new Date(accepted.acceptedAt)
    print(
      { installation, acceptedAt },
      `accepted the store of installation ${installation}; sweeps set aside content from before ${formatTime(acceptedAt)} that has no row in the database and has not changed for a day`,
    )
  },
})

export const gcCommands: readonly Command[] = [gcCommand]
