/** Writes `docs/cli.md` and the manual page `man/lading.1`. */
import { commands } from '../src/cli/commands.ts'
import { formatManPage } from '../src/cli/manual/man-page.ts'
import { describeCommands } from '../src/cli/manual/markdown.ts'
import { generateFile } from './generated-file.ts'

generateFile('docs/cli.md', describeCommands(commands))
generateFile('man/lading.1', formatManPage(commands))
