/** Browser sessions: a cookie that no script can read, and a token that every change must carry. */
import { z } from '../zod.ts'
import { formatEndedCookie } from '../../identity/sessions/session-cookie.ts'
import type { Session } from '../../identity/sessions/sessions.ts'
import { notFound } from '../errors/api-error.ts'
import type { ApiRequest } from '../api-request.ts'
import { header } from '../../edge/admission-request.ts'
import { defineEndpoint } from '../endpoint.ts'
import { formatTime, secret, text, time } from '../schemas.ts'
import type { ApiServices } from '../services.ts'

const openSession = z
  .object({
    user: z.string(),
    isAdmin: z.boolean(),
    csrfToken: z.string().meta({ description: 'The token to send as X-CSRF-Token with every change.' }),
    expiresAt: time,
  })
  .openapi('OpenSession')

function formatSession({ principal, csrfToken, expiresAt }: Session): z.input<typeof openSession> {
  const { name, isAdmin } = principal
  return { user: name, isAdmin, csrfToken, expiresAt: formatTime(expiresAt) }
}

async function getSession(http: ApiRequest, { sessions }: ApiServices): Promise<Session> {
  const session = await sessions.find(header(http, 'cookie'))
  if (session === undefined) throw notFound('session of this browser')
  return session
}

/** Whether the browser may send the cookie over TLS only, because the registry is reached over TLS. */
function isSecure({ registryUrl }: ApiRequest): boolean {
  return registryUrl.startsWith('https:')
}

const tag = 'session'

export const sessionEndpoints = [
  defineEndpoint({
    id: 'login',
    method: 'POST',
    path: '/session',
    tag,
    summary: 'Opens a session with name and password, and sets its HttpOnly cookie.',
    access: 'public',
    status: 201,
    body: z.strictObject({ name: text(255).min(1), password: secret }),
    result: openSession,
    handler: async ({ body, http }, { sessions }) => {
      const session = await sessions.login(body, http.origin, header(http, 'cookie'))
      const cookies = [session.cookie({ secure: isSecure(http) })]
      return { value: formatSession(session), location: '/session', cookies }
    },
  }),
  defineEndpoint({
    id: 'getSession',
    method: 'GET',
    path: '/session',
    tag,
    summary: 'Returns the session of the cookie, with its CSRF token.',
    access: 'user',
    status: 200,
    problems: [404],
    result: openSession,
    handler: async ({ http }, services) => ({ value: formatSession(await getSession(http, services)) }),
  }),
  defineEndpoint({
    id: 'logout',
    method: 'DELETE',
    path: '/session',
    tag,
    summary: 'Ends the session of the cookie.',
    access: 'user',
    status: 204,
    problems: [404],
    handler: async ({ http, actor }, services) => {
      const { id } = await getSession(http, services)
      await services.sessions.end(id, actor)
      return { cookies: [formatEndedCookie({ secure: isSecure(http) })] }
    },
  }),
]
