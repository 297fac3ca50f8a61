/** `lading backup verify`: checks a backup without the registry. */
import { tmpdir } from 'node:os'
import { formatCount } from '../../../lib/format-count.ts'
import type { Damage, VerifyResult } from '../../../lifecycle/backup/verify-backup.ts'
import { readArguments } from '../../frame/arguments.ts'
import { placeArgument, snapshotOption } from './backup-forms.ts'
import { failed } from '../../frame/command.ts'
import type { Command } from '../../frame/command.ts'
import { createOutput } from '../../frame/output.ts'
import { withProgress } from '../../frame/progress.ts'

export const backupVerifyCommand: Command = {
  name: 'backup verify',
  summary:
    'Check that a backup is complete and undamaged: hash every blob and manifest in its metadata, and check the structure of the metadata.',
  failsIf: 'anything is damaged',
  arguments: [placeArgument],
  options: [snapshotOption],
  configurable: false,
  jsonShape:
    '{"snapshot": string, "blobs": number, "manifests": number, "bytes": number, "damage": [{"content": string, "reason": string, "place": string, "repositories"?: string[], "manifests"?: [{"repository": string, "digest": string}]}]}',
  run: async ({ argv, json, host }) => {
    const given = readArguments(argv, backupVerifyCommand)
    const [place = ''] = given.words
    const [{ explainBackupFailure }, { verifyBackup }] = await Promise.all([
      import('./backup-output.ts'),
      import('../../../lifecycle/backup/verify-backup.ts'),
    ])
    try {
      const result = await withProgress({ host, json }, (onProgress) =>
        verifyBackup({ place, snapshot: given.value('--snapshot'), onProgress }),
      )
      createOutput(host, json).print(result, describeResult(result))
      return result.damage.length === 0 ? 0 : failed
    } catch (error) {
      throw explainBackupFailure(error, { place, target: tmpdir() })
    }
  },
}

function describeResult({ snapshot, blobs, manifests, bytes, damage }: VerifyResult): string[] {
  const counts = `${formatCount(manifests, 'manifest')}, ${formatCount(blobs, 'blob')}`
  const read = `snapshot ${snapshot}: ${counts} (${formatCount(bytes, 'byte')})`
  if (damage.length === 0) return [`${read}, no damage`]
  return [...damage.flatMap(describeDamage), `${read}; damaged: ${damage.length}`]
}

function describeDamage({ content, reason, place, repositories = [], manifests = [] }: Damage): string[] {
  return [
    `damaged: ${content}: ${reason} (${place})`,
    ...repositories.map((repository) => `  in repository ${repository}`),
    ...manifests.map((manifest) => `  in manifest ${manifest.repository}@${manifest.digest}`),
  ]
}
