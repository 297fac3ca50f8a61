/** The arguments and options of the backup commands, separate from their code, which is loaded on demand. */
import { formatCount } from '../../../lib/format-count.ts'
import type { CommandOption } from '../../frame/command.ts'

export const placeArgument = { name: '<dir|file.tar>', isPath: true }

export const snapshotOption: CommandOption = {
  name: '--snapshot',
  type: 'text',
  value: '<name>',
  summary: 'Use this snapshot instead of the newest one; lading backup prints the names.',
}

/** Returns the content of a snapshot in one line. */
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
