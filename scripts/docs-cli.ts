/** Writes `docs/cli.md`. */
import { commands } from '../src/cli/commands.ts'
import { describeCommands } from '../src/cli/manual/help.ts'
import { generateFile } from './generated-file.ts'

generateFile('docs/cli.md', describeCommands(commands))
