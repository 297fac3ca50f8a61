/**
 * The challenges of a 401: they ask for a bearer token of our token endpoint with the scopes that the request needs, or
 * for a password.
 */
import { parseRepositoryName } from '../../oci/repository-name.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import type { ChallengeReason } from '../errors.ts'
import { formatDescription } from '../headers/www-authenticate.ts'
import type { Challenge } from '../headers/www-authenticate.ts'
import { parseQuery } from '../requests/query.ts'
import type { Match } from '../router.ts'
import { tokenPath, tokenRouteId } from '../token-route.ts'

const service = 'lading'
const pingRouteId = 'end-1'
const blobRouteId = 'end-2'

interface ChallengedRequest {
  readonly match: Match | undefined
  /** The URL of this registry as the client sees it. */
  readonly registryUrl: string
  /** Why the token was rejected; `undefined` if the request had none. */
  readonly reason: ChallengeReason | undefined
}

/**
 * Returns Bearer first, because some clients read only the first line. The token endpoint itself asks only for a
 * password. The ping offers only Bearer: Docker applies every challenge that it finds there to all later requests, and
 * without a login it would stop at Basic before it requests public content. The description is the only sentence of
 * ours that Docker shows about a rejected token, and the only one that any client can show after HEAD.
 *
 * Both challenges name the token endpoint as their realm: clients that join the lines, or read the last one, send the
 * password to the last realm that they find.
 */
export function challengesOf({ match, registryUrl, reason }: ChallengedRequest): readonly Challenge[] {
  const realm = `${registryUrl}${tokenPath}`
  const basic: Challenge = { scheme: 'Basic', parameters: { realm } }
  if (match?.route?.id === tokenRouteId) return [basic]
  const scope = match === undefined ? '' : formatNeededScopes(match)
  const parameters = {
    realm,
    service,
    ...(scope !== '' && { scope }),
    ...(reason !== undefined && {
      error: reason.error,
      error_description: formatDescription(reason.description),
    }),
  }
  const bearer: Challenge = { scheme: 'Bearer', parameters }
  return match?.route?.id === pingRouteId ? [bearer] : [bearer, basic]
}

/**
 * Returns the scopes for the right that the route needs; a push also needs `pull`. A push begins with a HEAD request for a blob,
 * and some clients (oras-py) keep the token of their first request, so HEAD asks for both. The token endpoint grants only the
 * rights that the caller has.
 */
function formatNeededScopes({ route, name, rawQuery }: Match): string {
  if (route?.action === 'catalog') return 'registry:catalog:*'
  if (route === undefined || name === undefined) return ''
  const isStartOfPush = route.method === 'HEAD' && route.id === blobRouteId
  if (route.action !== 'push' && !isStartOfPush) return `repository:${name}:${route.action}`
  const own = `repository:${name}:pull,push`
  const from = route.method === 'POST' ? findMountSource(parseQuery(rawQuery)) : undefined
  return from === undefined || from === name ? own : `${own} repository:${from}:pull`
}

/** Returns the repository that a mount names; `undefined` if there is no mount, no name, or no valid name. */
export function findMountSource(query: URLSearchParams): RepositoryName | undefined {
  const from = query.get('from') ?? ''
  if (from === '' || !query.has('mount')) return undefined
  try {
    return parseRepositoryName(from)
  } catch {
    return undefined
  }
}
