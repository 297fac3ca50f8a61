/** The table of commands, in the order of the manual. The first is the default. */
import { accessCommands } from './access.ts'
import { auditCommands } from './audit.ts'
import type { Command } from './command.ts'
import { backupCommand } from './backup.ts'
import { backupVerifyCommand } from './backup-verify.ts'
import { configCheckCommand } from './config-check.ts'
import { configPrintCommand } from './config-print.ts'
import { doctorCommand } from './doctor.ts'
import { gcCommands } from './gc.ts'
import { grantCommands } from './grant.ts'
import { createHelpCommand } from './help.ts'
import { keyCommands } from './keys.ts'
import { openLog } from './log-output.ts'
import { migrateCommand } from './migrate.ts'
import { refreshTokenCommands } from './refresh-token.ts'
import { orgCommands } from './org.ts'
import { defineOwnerCommands } from './owner.ts'
import { repositoryCommands } from './repository.ts'
import { restoreCommand } from './restore.ts'
import { robotCommands } from './robot.ts'
import { roleCommands } from './role.ts'
import { createServeCommand } from './serve.ts'
import type { StartApp } from './serve.ts'
import { sessionCommands } from './session.ts'
import { teamCommands } from './team.ts'
import { tokenCommands } from './token.ts'
import { userCommands } from './user.ts'
import { versionCommand } from './version.ts'

/** Loaded on demand, so that the other commands start without the whole registry. */
const startApp: StartApp = async (config, deps) => {
  const { createApp } = await import('../app.ts')
  return await createApp(config, deps)
}

export const commands: readonly Command[] = [
  createServeCommand({ startApp, openLog }),
  ...userCommands,
  ...defineOwnerCommands({ kind: 'user', group: 'user' }),
  ...orgCommands,
  ...teamCommands,
  ...grantCommands,
  ...roleCommands,
  ...accessCommands,
  ...repositoryCommands,
  ...robotCommands,
  ...tokenCommands,
  ...refreshTokenCommands,
  ...sessionCommands,
  ...auditCommands,
  ...keyCommands,
  backupCommand,
  backupVerifyCommand,
  restoreCommand,
  configPrintCommand,
  configCheckCommand,
  doctorCommand,
  ...gcCommands,
  migrateCommand,
  versionCommand,
  createHelpCommand(() => commands),
]
