/** The settings of identity and access, from the configuration: the same for the server and for commands. */
import type { AuthDeps } from '../auth.ts'
import type { Config } from '../config/schema.ts'
import { initialPasswordFile } from './data-folder.ts'

type AuthOptions = Pick<
  AuthDeps,
  | 'anonymous'
  | 'initialPasswordFile'
  | 'newRepositoryVisibility'
  | 'refreshTokens'
  | 'selfRegistration'
  | 'sessionIdleMs'
  | 'sessionLifetimeMs'
  | 'tokenLifetimeMs'
>

export function createAuthOptions(config: Config): AuthOptions {
  const { anonymous, refreshTokens, selfRegistration } = config.auth
  const { sessionIdleMs, sessionLifetimeMs, tokenLifetimeMs } = config.auth
  return {
    anonymous,
    initialPasswordFile: initialPasswordFile(config),
    newRepositoryVisibility: config.repository.visibility,
    refreshTokens,
    selfRegistration,
    sessionIdleMs,
    sessionLifetimeMs,
    tokenLifetimeMs,
  }
}
