/** Checks the account that a request names in its path, query or body. */
import { anonymous } from '../identity/principal.ts'
import type { Principal } from '../identity/principal.ts'
import { quote } from '../oci/quote.ts'
import { ownerOf, parseRepositoryName } from '../oci/repository-name.ts'
import type { Endpoint } from './endpoint.ts'
import { notFound } from './errors/api-error.ts'
import type { ApiServices } from './services.ts'

/** The parsed input of a request. */
interface Input {
  readonly params: Readonly<Record<string, unknown>>
  readonly query: Readonly<Record<string, unknown>>
  readonly body: unknown
}

/**
 * Throws `NotVisibleError` for an account that the caller may not know of, as for one that does not exist. A team, which has
 * a slash in its name, needs no check: only teams of the owner are looked up.
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

async function ownerAsked(params: Input['params'], { formerNames }: ApiServices): Promise<string> {
  if (typeof params['owner'] === 'string') return params['owner']
  const repository = parseRepositoryName(String(params['repository']))
  return ownerOf((await formerNames.resolve(repository)) ?? repository)
}
