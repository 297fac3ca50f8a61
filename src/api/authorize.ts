/**
 * Whether a row may be served to a principal: by the access that it declares, before its handler runs. Refusals say the same
 * of what exists and of what does not.
 */
import { openVisibilities } from '../access/access-policy.ts'
import { cameWith, isLimited } from '../identity/limited-credentials.ts'
import type { Decision } from '../access/policy.ts'
import type { Permission } from '../access/permissions.ts'
import { anonymous, isWhole } from '../identity/principal.ts'
import type { AccountPrincipal, Principal } from '../identity/principal.ts'
import { judgeOldName } from '../access/former-names/old-names.ts'
import { quote } from '../oci/quote.ts'
import { ownerOf, parseRepositoryName } from '../oci/repository-name.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { Owner } from '../organizations/owners.ts'
import { ApiError, denied, notFound, notSignedIn } from './errors/api-error.ts'
import type { Access, Endpoint, Gives } from './endpoint.ts'
import type { ApiServices } from './services.ts'

/** What can be decided without looking at the path. Throws `ApiError`. */
export function checkCaller(access: Access, principal: Principal): void {
  if (access === 'public' || access === 'repository:pull') return
  if (principal.kind === 'anonymous') throw notSignedIn()
  if (access === 'self') checkSelf(principal)
  if (access === 'administrator') checkAdministrator(principal)
}

const rights: Readonly<Partial<Record<Access, readonly Permission[]>>> = {
  'owner:administer': ['administer'],
  'repository:pull': ['pull'],
  'repository:administer': ['administer'],
  'repository:manage': ['manage'],
  'repository:delete': ['delete', 'manage'],
}

interface Asked {
  readonly principal: Principal
  readonly params: Readonly<Record<string, unknown>>
}

/** What depends on the owner or the repository of the path. Throws `ApiError`. */
export async function checkTarget(
  endpoint: Endpoint,
  { principal, params }: Asked,
  services: ApiServices,
): Promise<void> {
  const { access, gives } = endpoint
  checkGives(gives, { principal, params })
  const { policy } = services
  const owner = String(params['owner'])
  if (access === 'owner:see' && !(await seesOwner(principal, owner, services)))
    throw notFound(`owner ${owner}`)
  for (const permission of rights[access] ?? []) {
    checkDecision(
      access.startsWith('owner:')
        ? await policy.decideOwner(principal, permission, owner)
        : await decideRepository(
            endpoint,
            { principal, permission, name: String(params['repository']) },
            services,
          ),
    )
  }
}

/** A refusal names the repository as it was asked for, so that an old name leads nobody to the new one. */
async function decideRepository(
  { access }: Endpoint,
  asked: { readonly principal: Principal; readonly permission: Permission; readonly name: string },
  { policy, aliases }: ApiServices,
): Promise<Decision> {
  const { principal, permission } = asked
  const repository = parseRepositoryName(asked.name)
  // Anyone who administers the repository may have its old name explained.
  const newName = access === 'repository:administer' ? await aliases.resolve(repository) : undefined
  const judge = (who: Principal, name: RepositoryName) => policy.decide(who, permission, name)
  if (newName === undefined) return judge(principal, repository)
  return judgeOldName({ principal, isServed: true, judge }, { oldName: repository, newName })
}

/** The parsed input of a request. */
interface Input {
  readonly params: Readonly<Record<string, unknown>>
  readonly query: Readonly<Record<string, unknown>>
  readonly body: unknown
}

/**
 * Checks the account that a request names: one that the caller may not know of is refused like one that does not exist.
 * A team, which has a slash in its name, needs no check, since only those of the owner are looked up. Throws `ApiError`.
 */
export async function checkAccount(
  { account }: Endpoint,
  { principal, ...input }: Input & { readonly principal: Principal },
  services: ApiServices,
): Promise<void> {
  if (account === undefined) return
  const name = readField(input, account)
  const isOpen = account === 'query.principal' && name === anonymous.kind
  if (name === undefined || name.includes('/') || isOpen) return
  const owner = await ownerAsked(input.params, services)
  if (!(await services.seenAccounts.sees(principal, name, owner))) throw notFound(`account ${quote(name)}`)
}

function readField(input: Input, place: string): string | undefined {
  const [part = '', field = ''] = place.split('.')
  const values = (input as unknown as Record<string, unknown>)[part]
  const value = (values as Readonly<Record<string, unknown>> | undefined)?.[field]
  return typeof value === 'string' ? value : undefined
}

async function ownerAsked(params: Input['params'], { aliases }: ApiServices): Promise<string> {
  if (typeof params['owner'] === 'string') return params['owner']
  const repository = parseRepositoryName(String(params['repository']))
  return ownerOf((await aliases.resolve(repository)) ?? repository)
}

/** By its visibility, or by a right on all that it has. */
export async function seesOwner(
  principal: Principal,
  name: string,
  { owners, policy }: ApiServices,
): Promise<boolean> {
  const owner = await owners.find(name)
  return owner !== undefined && (await seesThisOwner(principal, owner, policy))
}

/** The same for one that was read. */
export async function seesThisOwner(
  principal: Principal,
  owner: Pick<Owner, 'name' | 'visibility'>,
  policy: ApiServices['policy'],
): Promise<boolean> {
  return isOpenTo(principal, owner) || (await policy.decideOwner(principal, 'pull', owner.name)).allowed
}

function isOpenTo(principal: Principal, { visibility }: Pick<Owner, 'visibility'>): boolean {
  return openVisibilities(principal).includes(visibility)
}

function checkSelf(principal: AccountPrincipal): void {
  if (principal.kind === 'robot') throw denied('robots have no account of their own: log in as a user')
  if (!isWhole(principal)) {
    throw denied(
      'this access token is narrowed: log in with name and password, or use one that is not narrowed',
    )
  }
}

/** Refuses by the credential alone, whatever rights its account has. */
function checkGives(gives: Gives | undefined, { principal, params }: Asked): void {
  if (gives === undefined || !isLimited(principal)) return
  if (gives === 'rotation' && cameWith(principal, Number(params['token']))) return
  throw denied(
    gives === 'rotation'
      ? 'an access token can only rotate itself: send the token with this id, or log in with name and password'
      : 'an access token cannot give access, which would outlive the token: log in with name and password, or open a session',
  )
}

function checkAdministrator(principal: AccountPrincipal): void {
  if (!principal.isAdmin)
    throw denied(`${principal.kind} ${principal.name} is no administrator: ask one of them`)
  if (!isWhole(principal)) {
    throw denied(
      'this access token is narrowed: administrators log in with name and password, or use one that is not',
    )
  }
}

function checkDecision(decision: Decision): void {
  if (decision.allowed) return
  if (decision.refusal === 'rights') throw denied(decision.reason)
  const error = decision.refusal === 'scope' ? { error: 'insufficient_scope' as const } : {}
  throw new ApiError('UNAUTHORIZED', { message: decision.reason, ...error })
}
