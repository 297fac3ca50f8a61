/**
 * From an error to a problem (RFC 9457) with the codes of `/v2`: the one place of the API that gives refusals a status.
 */
import type { ErrorCode } from '../../oci/error-code.ts'
import { errorCodes } from '../../oci/error-code.ts'
import { OciError } from '../../oci/oci-error.ts'
import { translateDriverError } from '../../registry/driver-errors.ts'
import { InsufficientStorageError } from '../../registry/errors.ts'
import { z } from '../zod.ts'
import { ApiError } from './api-error.ts'
import { BodyTimeoutError } from '../api-request.ts'
import type { ApiReply } from '../api-request.ts'
import { findServiceStatus } from './service-errors.ts'

export const problemSchema = z
  .object({
    type: z.string().meta({ description: 'Leads to what the code means.' }),
    title: z.string().meta({ description: 'The words of the status.' }),
    status: z.int(),
    detail: z.string().meta({ description: 'What was refused, why, and what to do.' }),
    code: z.enum(errorCodes).meta({ description: 'Stable: match on it.' }),
    requestId: z.string().meta({ description: 'Leads to the lines of the log.' }),
    errors: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'Of a request that cannot be accepted: each fault with its place.' }),
  })
  .openapi('Problem')

type Problem = z.output<typeof problemSchema>

export interface ProblemContext {
  readonly requestId: string
  /** The request came from a script in a browser: a Basic challenge would open a dialog there. */
  readonly fromScript: boolean
}

export const problemType = 'application/problem+json'

export const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  507: 'Insufficient Storage',
}

const statusByCode: Readonly<Partial<Record<ErrorCode, number>>> = {
  UNAUTHORIZED: 401,
  DENIED: 403,
  NAME_UNKNOWN: 404,
  MANIFEST_UNKNOWN: 404,
  SIZE_INVALID: 413,
  TOOMANYREQUESTS: 429,
  UNAVAILABLE: 503,
  UNKNOWN: 500,
}

export function problemReply(thrown: unknown, context: ProblemContext): ApiReply {
  const error = translateDriverError(thrown)
  const problem = describeProblem(error, context)
  const { status } = problem
  return {
    status,
    headers: ['Content-Type', problemType, ...headersOf(error, { ...context, status })],
    body: Buffer.from(JSON.stringify(problem)),
    endpoint: undefined,
    fault: status >= 500 ? { error: thrown, expected: error instanceof OciError } : undefined,
  }
}

function describeProblem(error: unknown, { requestId }: ProblemContext): Problem {
  const fields = error instanceof ApiError && error.fields.length > 0 ? { errors: [...error.fields] } : {}
  const known = findRefusal(error)
  const status = known?.status ?? 500
  const code = known?.code ?? 'UNKNOWN'
  return {
    type: `/api/v1/docs#${code}`,
    title: titles[status] ?? 'Refused',
    status,
    detail:
      known?.message ?? `internal error; the registry's log has the cause under request id ${requestId}`,
    code,
    requestId,
    ...fields,
  }
}

interface KnownRefusal {
  readonly status: number
  readonly code: ErrorCode
  readonly message: string
}

function findRefusal(error: unknown): KnownRefusal | undefined {
  const service = findServiceStatus(error)
  if (service !== undefined) return service
  if (!(error instanceof OciError)) return undefined
  return { status: statusOf(error), code: error.code, message: error.message }
}

function statusOf(error: OciError): number {
  if (error instanceof ApiError) return error.status
  if (error instanceof BodyTimeoutError) return 408
  if (error instanceof InsufficientStorageError) return 507
  return statusByCode[error.code] ?? 400
}

function headersOf(error: unknown, context: ProblemContext & { status: number }): string[] {
  const headers: string[] = []
  if (context.status === 401) headers.push(...challenges(error, context))
  if (error instanceof ApiError && error.allow !== undefined) headers.push('Allow', error.allow)
  const seconds = error instanceof Error && 'retryAfterSeconds' in error ? error.retryAfterSeconds : undefined
  if (typeof seconds === 'number') headers.push('Retry-After', String(seconds))
  return headers
}

function challenges(error: unknown, { fromScript }: ProblemContext): string[] {
  const reason = error instanceof Error && 'error' in error ? error.error : undefined
  const bearer =
    typeof reason === 'string' ? `Bearer realm="lading", error="${reason}"` : 'Bearer realm="lading"'
  const basic = fromScript ? [] : ['WWW-Authenticate', 'Basic realm="lading", charset="UTF-8"']
  return ['WWW-Authenticate', bearer, ...basic]
}
