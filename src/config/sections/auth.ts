/** The section `auth` of the configuration: who gets in without a login, and how long a login lasts. */
import { z } from 'zod'
import { oneDayMs, oneMinuteMs } from '../leaves.ts'
import { quantity } from '../quantities.ts'

/** Long enough for the layers of a large push between two tokens, short enough that a leaked one is soon worthless. */
const defaultTokenLifetimeMs = 15 * oneMinuteMs
/** Docker assumes 60 s for a token without a lifetime, and some clients never ask again before that. */
const minTokenLifetimeMs = oneMinuteMs
/** A rotated key must be kept until its last token has expired. */
const maxTokenLifetimeMs = oneDayMs
/** A working day: who comes back the next morning logs in again. */
const defaultSessionIdleMs = 12 * 60 * oneMinuteMs
/** However busy, a browser shows the password once a week. */
const defaultSessionLifetimeMs = 7 * oneDayMs
/** Uses are noted every five minutes. */
const minSessionMs = 10 * oneMinuteMs
const maxSessionMs = 90 * oneDayMs

/** `auth.*`. */
export const auth = z.strictObject({
  anonymous: z
    .enum(['none', 'pull', 'push'])
    .default('pull')
    .describe(
      'What clients without a login may do: nothing, pull from public repositories, or also push to and delete from them and create new ones.',
    ),
  refreshTokens: z
    .boolean()
    .default(false)
    .describe(
      'Whether a login may get a refresh token. Docker then stores that instead of the password, which the kubelet cannot use.',
    ),
  selfRegistration: z
    .boolean()
    .default(false)
    .describe('Whether anyone may make an account for themselves. Otherwise administrators make users.'),
  tokenLifetimeMs: quantity('milliseconds', {
    min: minTokenLifetimeMs,
    max: maxTokenLifetimeMs,
    default: defaultTokenLifetimeMs,
  }).describe('How long a bearer token is valid. Disabling a user ends its tokens at once.'),
  sessionIdleMs: quantity('milliseconds', {
    min: minSessionMs,
    max: maxSessionMs,
    default: defaultSessionIdleMs,
  }).describe('How long a browser session lasts without a request.'),
  sessionLifetimeMs: quantity('milliseconds', {
    min: minSessionMs,
    max: maxSessionMs,
    default: defaultSessionLifetimeMs,
  }).describe('How long a browser session lasts at most.'),
})
