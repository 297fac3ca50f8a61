/** Arguments and options of the commands for backups; apart from what they run, which is loaded on demand. */
import { formatCount } from '../../../lib/format-count.ts'
import type { CommandOption } from '../../frame/command.ts'

export const placeArgument = { name: '<dir|file.tar>', isPath: true }

export const snapshotOption: CommandOption = {
  name: '--snapshot',
  type: 'text',
  value: '<name>',
  summary: 'Use this snapshot instead of the last one; lading backup prints the names.',
}

/** What a snapshot holds, in one line. */
export function formatContent(counts: {
  readonly repositories: number
  readonly manifests: number
  readonly blobs: number
}): string {
  return [
    formatCount(counts.repositories, 'repository', 'repositories'),
    formatCount(counts.manifests, 'manifest'),
    formatCount(counts.blobs, 'blob'),
  ].join(', ')
}
