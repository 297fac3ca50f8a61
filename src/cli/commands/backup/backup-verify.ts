/** `lading backup verify`: proves a backup, without the registry. */
import { tmpdir } from 'node:os'
import { formatCount } from '../../../lib/format-count.ts'
import type { Damage, VerifyResult } from '../../../lifecycle/backup/verify-backup.ts'
import { readArguments } from '../../frame/arguments.ts'
import { placeWord, snapshotFlag } from './backup-forms.ts'
import { CliError, failed, misused } from '../../frame/command.ts'
import type { Command } from '../../frame/command.ts'
import { createPrint } from '../../frame/service-command.ts'

export const backupVerifyCommand: Command = {
  name: 'backup verify',
  summary:
    'Prove that a backup is whole: hash every blob and manifest that its metadata names, and check the structure of the metadata. The exit code is 1 if anything is damaged.',
  words: [placeWord],
  flags: [snapshotFlag],
  configurable: false,
  jsonShape:
    '{"snapshot": string, "blobs": number, "manifests": number, "bytes": number, "damage": [{"content": string, "reason": string, "place": string, "repositories"?: string[], "manifests"?: [{"repository": string, "digest": string}]}]}',
  run: async ({ argv, json, host }) => {
    const form = { name: 'backup verify', words: [placeWord], flags: [snapshotFlag] }
    const given = readArguments(argv, form)
    const { words, rest } = given
    if (rest[0] !== undefined) throw new CliError(`unknown flag ${rest[0]}`, { exitCode: misused })
    const [place = ''] = words
    const [{ explainBackupFailure, withProgress }, { verifyBackup }] = await Promise.all([
      import('./backup-output.ts'),
      import('../../../lifecycle/backup/verify-backup.ts'),
    ])
    try {
      const result = await withProgress({ host, json }, (onProgress) =>
        verifyBackup({ place, snapshot: given.value('--snapshot'), onProgress }),
      )
      createPrint(host, json)(result, describeResult(result))
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
