import { expect, test } from 'vitest'
import { findRefusal } from '../../edge/refusal.ts'
import {
  BodyStalledError,
  BodyTooLargeError,
  ExpectationUnknownError,
  RequestMalformedError,
  UrlTooLongError,
} from '../../http/errors.ts'
import { errorReply } from '../../http/replies/error-reply.ts'
import { AccountExistsError } from '../../identity/accounts/account-errors.ts'
import { CredentialsError, TooManyAttemptsError } from '../../identity/errors.ts'
import { InsufficientStorageError, UnavailableError } from '../../registry/errors.ts'
import { problemReply } from './problem.ts'

const context = { requestId: 'r-1', fromScript: false }
const ociContext = {
  requestId: 'r-1',
  method: 'GET',
  allow: '',
  path: '/',
  challenges: () => [],
  oauth: false,
}

test.each([
  [new RequestMalformedError('two Host headers'), 400],
  [new CredentialsError('log in'), 401],
  [new BodyStalledError(1000), 408],
  [new AccountExistsError('bob'), 409],
  [new BodyTooLargeError(10), 413],
  [new UrlTooLongError(10), 414],
  [new ExpectationUnknownError('tea'), 417],
  [new TooManyAttemptsError(5), 429],
  [new UnavailableError(), 503],
  [new InsufficientStorageError(), 507],
  [new Error('secret'), 500],
])('%s has the same status, code and Retry-After in both envelopes', (error, status) => {
  const problem = problemReply(error, context)
  const reply = errorReply(findRefusal(error), ociContext)
  const parse = (body: unknown): unknown => JSON.parse(Buffer.from(body as Uint8Array).toString())
  const { errors } = parse(reply.body) as { errors: [{ code: string; message: string }] }
  expect([problem.status, reply.status]).toEqual([status, status])
  expect(parse(problem.body)).toMatchObject({ status, code: errors[0].code, detail: errors[0].message })
  expect(problem.headers.includes('Retry-After')).toBe(reply.headers.includes('Retry-After'))
})

test('hides the owner of a taken name from a caller that may not know of all owners', () => {
  const error = new AccountExistsError('acme', { discreet: 'the name acme is taken' })
  const problem = problemReply(error, context)
  expect(JSON.parse(Buffer.from(problem.body as Uint8Array).toString())).toMatchObject({
    detail: 'the name acme is taken',
  })
})
