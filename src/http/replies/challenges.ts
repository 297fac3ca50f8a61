/** What a 401 asks for: a bearer token of our token endpoint with the scopes that the request needs, or a password. */
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
  /** Of this registry as the client sees it. */
  readonly registryUrl: string
  /** `undefined` where no token came along. */
  readonly reason: ChallengeReason | undefined
}

/**
 * Bearer first: some clients read the first line only. Where tokens are made, only a password helps. The ping names
 * Bearer alone: Docker applies every challenge that it finds there to all that follows, and without a login it would
 * stop at Basic, before it asks for what is public. The description is the only sentence of ours that Docker shows of
 * a token that was sent back, and all that anyone can show after HEAD.
 *
 * Both name the token endpoint as their realm: clients that join the lines, or read the last one, send the password to the
 * last realm that they find.
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
 * Returns the scopes for the right that the route needs; a push also needs `pull`. A push begins with HEAD of a blob, and some clients
 * (oras-py) keep the token of their first request, so HEAD asks for both. The token endpoint grants what the caller may do.
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

/** The repository that a mount names; `undefined` when there is no mount, no name, or none that can exist. */
export function findMountSource(query: URLSearchParams): RepositoryName | undefined {
  const from = query.get('from') ?? ''
  if (from === '' || !query.has('mount')) return undefined
  try {
    return parseRepositoryName(from)
  } catch {
    return undefined
  }
}
