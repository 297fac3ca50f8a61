/** Accounts that people create for themselves, if `auth.selfRegistration` allows it. */
import { z } from '../zod.ts'
import { defineEndpoint } from '../endpoint.ts'
import { ownerName, secret } from '../schemas.ts'

const registration = z.object({ name: ownerName }).openapi('Registration')

/** Strict, like all bodies, so that no request can register an administrator. */
const newRegistration = z.strictObject({ name: ownerName, password: secret.min(8) })

export const registrationEndpoints = [
  defineEndpoint({
    id: 'register',
    method: 'POST',
    path: '/registrations',
    tag: 'session',
    summary: 'Creates an account for the caller, if `auth.selfRegistration` is set.',
    access: 'public',
    status: 201,
    problems: [409],
    body: newRegistration,
    result: registration,
    handler: async ({ body, http }, { accounts }) => {
      await accounts.register(body, http.origin)
      return { value: { name: body.name }, location: '/me' }
    },
  }),
]
