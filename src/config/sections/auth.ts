/** The section `auth` of the configuration: access without a login, and how long a login lasts. */
import { z } from 'zod'
import { oneDayMs, oneMinuteMs } from '../leaves.ts'
import { quantity } from '../quantities.ts'

/** Long enough to push the layers of a large image with one token, short enough that a leaked token soon becomes useless. */
const defaultTokenLifetimeMs = 15 * oneMinuteMs
/** Docker assumes 60 s for a token without a lifetime, and some clients never request a new one earlier. */
const minTokenLifetimeMs = oneMinuteMs
/** A rotated key must be kept until its last token has expired. */
const maxTokenLifetimeMs = oneDayMs
/** A working day: a user logs in again the next morning. */
const defaultSessionIdleMs = 12 * 60 * oneMinuteMs
/** Even an active browser asks for the password once a week. */
const defaultSessionLifetimeMs = 7 * oneDayMs
/** The last use of a session is recorded only every five minutes. */
const minSessionMs = 10 * oneMinuteMs
const maxSessionMs = 90 * oneDayMs

/** `auth.*`. */
export const auth = z.strictObject({
  anonymous: z
    .enum(['none', 'pull', 'push'])
    .default('pull')
    .describe(
      'Access for clients without a login: `none`, `pull` from public repositories, or `push`, which also allows them to push to, delete from and create public repositories.',
    ),
  refreshTokens: z
    .boolean()
    .default(false)
    .describe(
      'Whether a login may get a refresh token. Docker then stores the refresh token instead of the password, and the kubelet cannot use it.',
    ),
  selfRegistration: z
    .boolean()
    .default(false)
    .describe(
      'Whether anyone may create an account for themselves. Otherwise only administrators create users.',
    ),
  tokenLifetimeMs: quantity('milliseconds', {
    min: minTokenLifetimeMs,
    max: maxTokenLifetimeMs,
    default: defaultTokenLifetimeMs,
  }).describe(
    'How long a bearer token is valid. If a user is disabled, its tokens become invalid immediately.',
  ),
  sessionIdleMs: quantity('milliseconds', {
    min: minSessionMs,
    max: maxSessionMs,
    default: defaultSessionIdleMs,
  }).describe('How long a browser session lasts without a request.'),
  sessionLifetimeMs: quantity('milliseconds', {
    min: minSessionMs,
    max: maxSessionMs,
    default: defaultSessionLifetimeMs,
  }).describe('The longest time that a browser session lasts.'),
})
