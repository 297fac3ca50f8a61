/** Words and flags of the commands for backups; apart from what they run, which is loaded on demand. */
import type { CommandFlag } from './command.ts'

export const placeWord = '<dir|file.tar>'

export const snapshotFlag: CommandFlag = {
  name: '--snapshot',
  value: '<name>',
  summary: 'This snapshot instead of the last one: the name that lading backup printed.',
}
