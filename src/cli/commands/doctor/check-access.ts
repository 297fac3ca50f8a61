/** Checks who can reach the registry and what they may do there. */
import { existsSync, statSync } from 'node:fs'
import { initialPasswordFile } from '../../../app/data-folder.ts'
import type { Config } from '../../../config/schema.ts'
import { listExposures } from '../server/exposure.ts'
import { ok, warning } from './finding.ts'
import type { Finding } from './finding.ts'

export function* checkAccess(config: Config): Generator<Finding> {
  const exposures = listExposures(config)
  for (const { message, advice } of exposures) yield warning('access', message, advice)
  if (exposures.length === 0) {
    yield ok(
      'access',
      `${config.http.host}, anonymous: ${config.auth.anonymous}, new repositories: ${config.repository.visibility}`,
    )
  }
  yield* checkInitialPassword(config)
}

function* checkInitialPassword(config: Config): Generator<Finding> {
  const file = initialPasswordFile(config)
  if (!existsSync(file)) return
  const isPrivate = (statSync(file).mode & 0o077) === 0
  const readers = isPrivate ? '' : ', and other users of this machine can read it'
  yield warning(
    'access',
    `the generated password of the first administrator is still in ${file}${readers}`,
    'set a new password with lading user password, which removes the file',
  )
}
