/** The table of commands, in the order of the manual. The first command is the default. */
import { accessCommands } from './commands/access/access.ts'
import { auditCommands } from './commands/system/audit.ts'
import type { Command, CommandRow } from './frame/command.ts'
import { backupCommand } from './commands/backup/backup.ts'
import { backupVerifyCommand } from './commands/backup/backup-verify.ts'
import { configCheckCommand } from './commands/config/config-check.ts'
import { configPrintCommand } from './commands/config/config-print.ts'
import { doctorCommand } from './commands/doctor/doctor.ts'
import { gcCommands } from './commands/content/gc.ts'
import { grantCommands } from './commands/access/grant.ts'
import { createCompletionCommand } from './manual/completion/completion.ts'
import { createHelpCommand } from './manual/help.ts'
import { keyCommands } from './commands/system/keys.ts'
import { openLog } from './process/log-output.ts'
import { migrateCommand } from './commands/system/migrate.ts'
import { refreshTokenCommands } from './commands/identity/refresh-token.ts'
import { orgCommands } from './commands/owners/org.ts'
import { defineOwnerCommands } from './commands/owners/owner.ts'
import { repositoryCommands } from './commands/content/repository.ts'
import { restoreCommand } from './commands/backup/restore.ts'
import { robotCommands } from './commands/identity/robot.ts'
import { roleCommands } from './commands/access/role.ts'
import { createServeCommand } from './commands/server/serve.ts'
import type { StartApp } from './commands/server/serve.ts'
import { sessionCommands } from './commands/identity/session.ts'
import { teamCommands } from './commands/owners/team.ts'
import { tokenCommands } from './commands/identity/token.ts'
import { userCommands } from './commands/identity/user.ts'
import { versionCommand } from './commands/server/version.ts'

/** Loads the registry on demand, so that the other commands start without it. */
const startApp: StartApp = async (config, deps) => {
  const { createApp } = await import('../app.ts')
  return await createApp(config, deps)
}

/** The headings of the manual, each with its commands. */
const groups: Readonly<Record<string, readonly Command[]>> = {
  Server: [
    createServeCommand({ startApp, openLog }),
    doctorCommand,
    configPrintCommand,
    configCheckCommand,
    versionCommand,
  ],
  'Users, robots and their credentials': [
    ...userCommands,
    ...defineOwnerCommands({ kind: 'user', group: 'user' }),
    ...robotCommands,
    ...tokenCommands,
    ...refreshTokenCommands,
    ...sessionCommands,
  ],
  'Organizations and teams': [...orgCommands, ...teamCommands],
  Rights: [...grantCommands, ...roleCommands, ...accessCommands],
  Content: [...repositoryCommands, ...gcCommands],
  'Database, backups and audit': [
    backupCommand,
    backupVerifyCommand,
    restoreCommand,
    migrateCommand,
    ...keyCommands,
    ...auditCommands,
  ],
  Help: [createHelpCommand(() => commands), createCompletionCommand(() => commands)],
}

export const commands: readonly CommandRow[] = Object.entries(groups).flatMap(([group, rows]) =>
  rows.map((row) => ({ ...row, group })),
)
