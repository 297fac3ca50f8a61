import { describe, expect, test } from 'vitest'
import { RefreshTokensOffError } from '../../identity/errors.ts'
import { StoreFull, StoreUnavailable } from '../../blob-store/errors.ts'
import { MetadataUnavailable } from '../../metadata/errors.ts'
import { digestBytes, parseDigest } from '../../oci/digest.ts'
import type { ErrorCode } from '../../oci/error-code.ts'
import { OciError } from '../../oci/oci-error.ts'
import { NameInvalidError, parseRepositoryName } from '../../oci/repository-name.ts'
import {
  BlobInUseError,
  DeleteDisabledError,
  ManifestBlobUnknownError,
  PreconditionFailedError,
  TooManyUploadsError,
  UploadOutOfOrderError,
} from '../../registry/errors.ts'
import { DeniedError, UnauthorizedError } from '../../edge/errors.ts'
import { findRefusal } from '../../edge/refusal.ts'
import { errorReply } from './error-reply.ts'
import type { ErrorContext } from './error-reply.ts'
import { smallReplyBytes } from '../limits.ts'
import {
  BodyStalledError,
  BodyTooSlowError,
  FormTooLargeError,
  ManifestTooLargeError,
  MethodUnsupportedError,
  RangeUnsatisfiableError,
  RequestMalformedError,
  RequestRefusedError,
  RouteUnknownError,
  TokenRequestError,
  TooManyTagsError,
  UrlTooLongError,
} from '../errors.ts'

const repository = parseRepositoryName('a/b')
const digest = parseDigest(`sha256:${'a'.repeat(64)}`)
const other = parseDigest(`sha256:${'b'.repeat(64)}`)
const path = '/v2/a/b/blobs/uploads/id-1'
const context: ErrorContext = {
  requestId: 'r-1',
  method: 'GET',
  allow: 'GET, HEAD',
  path,
  challenges: (reason) => [
    { scheme: 'Bearer', parameters: { realm: 'https://r.test/token', ...reason } },
    { scheme: 'Basic', parameters: { realm: 'r' } },
  ],
  oauth: false,
}

function reply(error: unknown): { status: number; headers: Record<string, string>; errors: unknown[] } {
  const { status, headers, body } = errorReply(findRefusal(error), context)
  const pairs = headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1] ?? '']] : []))
  const { errors } = JSON.parse(Buffer.from(body as Uint8Array).toString()) as { errors: unknown[] }
  return { status, headers: Object.fromEntries(pairs), errors }
}

describe('status of a code', () => {
  const statuses: Record<ErrorCode, number> = {
    BLOB_UNKNOWN: 404,
    BLOB_UPLOAD_INVALID: 400,
    BLOB_UPLOAD_UNKNOWN: 404,
    DIGEST_INVALID: 400,
    MANIFEST_BLOB_UNKNOWN: 400,
    MANIFEST_INVALID: 400,
    MANIFEST_UNKNOWN: 404,
    NAME_INVALID: 400,
    NAME_UNKNOWN: 404,
    SIZE_INVALID: 400,
    UNAUTHORIZED: 401,
    DENIED: 403,
    UNSUPPORTED: 405,
    TOOMANYREQUESTS: 429,
    TAG_INVALID: 400,
    RANGE_INVALID: 416,
    PAGINATION_NUMBER_INVALID: 400,
    UNAVAILABLE: 503,
    UNKNOWN: 500,
  }

  test.each(Object.entries(statuses))('%s is %i', (code, status) => {
    const error = new RequestRefusedError(code as ErrorCode, { message: 'why', detail: { what: 1 } })
    expect(reply(error)).toMatchObject({ status, errors: [{ code, message: 'why', detail: { what: 1 } }] })
  })
})

describe('status of an error', () => {
  test.each([
    [new RequestMalformedError('two Host headers'), 400],
    [new RouteUnknownError('/x'), 404],
    [new MethodUnsupportedError('PATCH', 'GET'), 405],
    [new BlobInUseError({ repository, digest, manifest: other }), 405],
    [new DeleteDisabledError(), 405],
    [new DeniedError('no'), 403],
    [new PreconditionFailedError('latest', digest), 412],
    [new ManifestTooLargeError(10), 413],
    [new TooManyTagsError(101, 100), 414],
    [new UrlTooLongError(10), 414],
    [new FormTooLargeError(10), 413],
    [new TokenRequestError('invalid_request', 'no grant_type'), 400],
    [new BodyStalledError(1000), 408],
    [new BodyTooSlowError(1000), 408],
    [new RangeUnsatisfiableError('bytes=9-', 3), 416],
    [new StoreFull('disk full'), 507],
    [new StoreUnavailable('gone', { retryable: true }), 503],
    [new MetadataUnavailable('gone', { retryable: true }), 503],
  ])('%s is %i', (error, status) => {
    expect(reply(error).status).toBe(status)
  })
})

describe('headers of an error', () => {
  test('tell where an upload stands when a chunk is out of order (end-5, end-6)', () => {
    expect(reply(new UploadOutOfOrderError('id-1', 1024)).headers).toMatchObject({
      Location: path,
      Range: '0-1023',
      'Docker-Upload-UUID': 'id-1',
    })
    expect(reply(new UploadOutOfOrderError('id-1', 0)).headers['Range']).toBe('0-0')
  })

  test('name the size when no byte of a range exists', () => {
    expect(reply(new RangeUnsatisfiableError('bytes=9-', 3)).headers['Content-Range']).toBe('bytes */3')
  })

  test('say when to come back', () => {
    expect(reply(new TooManyUploadsError({ limit: 5, retryAfterSeconds: 300 })).headers['Retry-After']).toBe(
      '300',
    )
    expect(reply(new MetadataUnavailable('gone', { retryable: true })).headers['Retry-After']).toMatch(
      /^\d+$/,
    )
    expect(reply(new StoreFull('disk full')).headers).not.toHaveProperty('Retry-After')
  })

  test('list the methods with every 405 (RFC 9110, 15.5.6)', () => {
    expect(reply(new DeleteDisabledError()).headers['Allow']).toBe('GET, HEAD')
    expect(reply(new DeniedError('no')).headers).not.toHaveProperty('Allow')
  })

  test.each([
    [undefined, 'Bearer realm="https://r.test/token"'],
    [
      'insufficient_scope' as const,
      'Bearer realm="https://r.test/token",error="insufficient_scope",description="who are you"',
    ],
  ])('challenge, one line each, with the error %s and its reason', (error, bearer) => {
    const { headers } = errorReply(findRefusal(new UnauthorizedError('who are you', error)), context)
    expect(headers.join(' ')).toContain(`WWW-Authenticate ${bearer} WWW-Authenticate Basic realm="r"`)
  })
})

describe('body of an error', () => {
  test('has one entry per missing blob', () => {
    expect(reply(new ManifestBlobUnknownError(repository, [digest, other]))).toMatchObject({
      status: 400,
      errors: [
        { code: 'MANIFEST_BLOB_UNKNOWN', detail: { digest } },
        { code: 'MANIFEST_BLOB_UNKNOWN', detail: { digest: other } },
      ],
    })
  })

  test('stays small, however many blobs are missing', () => {
    const missing = Array.from({ length: 10_000 }, (_, index) =>
      digestBytes(Buffer.from(String(index)), 'sha512'),
    )
    const refusal = new ManifestBlobUnknownError(repository, missing)
    const { body } = errorReply(findRefusal(refusal), context)
    expect((body as Uint8Array).length).toBeLessThan(smallReplyBytes)
    expect(refusal.message.length).toBeLessThan(smallReplyBytes)
    const { errors } = reply(refusal)
    expect(errors).toHaveLength(151)
    expect(errors.at(-1)).toMatchObject({ code: 'MANIFEST_BLOB_UNKNOWN', detail: { unnamed: 9_850 } })
  })

  test.each([new Error('secret: /var/lib'), new TypeError('x is not a function'), 'text', undefined])(
    'shows nothing of a fault but its request id: %s',
    (fault) => {
      const { status, errors } = reply(fault)
      expect(status).toBe(500)
      expect(errors).toEqual([
        {
          code: 'UNKNOWN',
          message: expect.stringContaining('request id r-1') as string,
          detail: { requestId: 'r-1' },
        },
      ])
    },
  )

  test.each([
    [new TokenRequestError('unsupported_grant_type', 'why'), 'unsupported_grant_type'],
    [new UnauthorizedError('why'), 'invalid_grant'],
    [new TooManyUploadsError({ limit: 5, retryAfterSeconds: 300 }), 'temporarily_unavailable'],
    [new StoreFull('full'), 'temporarily_unavailable'],
    [new FormTooLargeError(10), 'invalid_request'],
    [new RefreshTokensOffError(), 'unsupported_grant_type'],
    [new Error('why'), 'server_error'],
  ])('has the word of OAuth 2 beside the envelope where OAuth 2 is spoken: %s', (error, word) => {
    const { body } = errorReply(findRefusal(error), { ...context, oauth: true })
    expect(JSON.parse(Buffer.from(body as Uint8Array).toString())).toMatchObject({
      errors: [{ message: expect.any(String) as string }],
      error: word,
    })
  })

  test('takes any subclass of a refusal by its code', () => {
    class Special extends OciError {
      readonly code = 'DENIED'
      readonly detail = null
    }
    expect(reply(new Special('not today'))).toMatchObject({ status: 403, errors: [{ code: 'DENIED' }] })
  })
})

describe('the status line', () => {
  const refusal = new NameInvalidError('a\r\nSet-Cookie: x=ä', 'it has no owner')

  test('says in ASCII, on one line, why HEAD was refused: there is no body to say it', () => {
    const { reason } = errorReply(findRefusal(refusal), { ...context, method: 'HEAD' })
    expect(reason).toMatch(/^[\x20-\x7e]+ is invalid: it has no owner$/)
  })

  test('stays as it is where there is a body', () => {
    expect(errorReply(findRefusal(refusal), context).reason).toBeUndefined()
  })
})
