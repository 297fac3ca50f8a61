/**
 * The token endpoint in its two dialects: Docker's (GET with Basic) and OAuth 2 (POST with a form). A missing right is
 * not an error: the token then allows less than was requested. Invalid credentials are an error (401). A client without
 * credentials always gets a token, which allows nothing where anonymous clients have no rights: clients report a 401
 * from here as a wrong password, while the refusal of the request itself says that a login is needed.
 */
import type { IssuedToken, TokenRequest } from '../../identity/identity.ts'
import { formatScope, parseScopes } from '../../access/scope.ts'
import { Turns } from '../../lib/turns/turns.ts'
import { auditUngranted } from '../audit-refusal.ts'
import { UnauthorizedError } from '../../edge/errors.ts'
import { TokenRequestError } from '../errors.ts'
import { parseQuery } from '../requests/query.ts'
import { readToParse } from '../requests/read-whole.ts'
import { jsonReply } from '../replies/reply.ts'
import type { Reply } from '../replies/reply.ts'
import type { RegistryRequest } from '../requests/request.ts'
import { offlineParameter } from '../token-route.ts'
import type { HandlerDeps } from './handler-deps.ts'

const fresh = ['Cache-Control', 'no-store']

export async function getToken(request: RegistryRequest, deps: HandlerDeps): Promise<Reply> {
  const { query, headers, origin } = request
  const asked = {
    principal: await deps.authenticator.authenticate(basicOf(headers.authorization), origin),
    scopes: parseScopes(query.getAll('scope')),
    offline: query.get(offlineParameter) === 'true',
    clientId: query.get('client_id') ?? undefined,
    asker: request.asker,
  }
  const issued = await issueToken(asked, request, deps)
  return jsonReply(200, { token: issued.token, ...describeToken(issued) }, fresh)
}

/**
 * Throws unless the credentials are Basic. A token cannot be exchanged for another, which could outlive it or allow
 * more.
 */
function basicOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined || /^basic(?:\s|$)/i.test(authorization)) return authorization
  throw new UnauthorizedError(
    'the token endpoint accepts only a user name and a password: send them as Basic',
  )
}

export async function postToken(request: RegistryRequest, deps: HandlerDeps): Promise<Reply> {
  const form = await readForm(request)
  const issued = await issueFor(form, request, deps)
  const granted = issued.scopes.filter(({ actions }) => actions.length > 0)
  const scope = granted.map((one) => formatScope(one)).join(' ')
  const reply = { token: issued.token, token_type: 'Bearer', scope, ...describeToken(issued) }
  return jsonReply(200, reply, fresh)
}

async function issueFor(
  form: URLSearchParams,
  request: RegistryRequest,
  deps: HandlerDeps,
): Promise<IssuedToken> {
  const { origin } = request
  const grantType = getField(form, 'grant_type')
  const scopes = parseScopes(form.getAll('scope'))
  if (grantType === 'refresh_token') {
    return deps.tokens.refresh(
      { refreshToken: getField(form, 'refresh_token'), scopes, asker: request.asker },
      origin,
    )
  }
  if (grantType !== 'password') {
    throw new TokenRequestError('unsupported_grant_type', 'grant_type must be password or refresh_token')
  }
  const credentials = { name: getField(form, 'username'), password: getField(form, 'password') }
  const asked = {
    principal: await deps.authenticator.login(credentials, origin),
    scopes,
    offline: form.get('access_type') === 'offline',
    clientId: form.get('client_id') ?? undefined,
    asker: request.asker,
  }
  return issueToken(asked, request, deps)
}

async function issueToken(
  asked: TokenRequest,
  request: RegistryRequest,
  { tokens, audit }: HandlerDeps,
): Promise<IssuedToken> {
  const issued = await tokens.issue(asked)
  const { principal, scopes } = asked
  auditUngranted({ principal, asked: scopes, granted: issued.scopes }, request, audit)
  return issued
}

async function readForm({ headers, body, contentLength, asker }: RegistryRequest): Promise<URLSearchParams> {
  const type = headers['content-type'] ?? ''
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type)) {
    throw new TokenRequestError(
      'invalid_request',
      'the form must have Content-Type application/x-www-form-urlencoded',
    )
  }
  return parseQuery(Buffer.from(await readToParse(body, contentLength, new Turns(asker))).toString())
}

/** Returns a field of the form. The error names the field, never its value. */
function getField(form: URLSearchParams, name: string): string {
  const value = form.get(name) ?? ''
  if (value === '') throw new TokenRequestError('invalid_request', `the form has no ${name}`)
  return value
}

function describeToken({ token, expiresInSeconds, issuedAt, refreshToken }: IssuedToken): object {
  return {
    access_token: token,
    expires_in: expiresInSeconds,
    issued_at: issuedAt.toISOString(),
    ...(refreshToken !== undefined && { refresh_token: refreshToken }),
  }
}
