/** Writes an error as a problem (RFC 9457), with the codes and statuses of `edge/error-table.ts`. */
import { z } from '../zod.ts'
import type { ErrorStatus } from '../../edge/error-table.ts'
import { describeFault, findRefusal } from '../../edge/refusal.ts'
import type { Refusal } from '../../edge/refusal.ts'
import { errorCodes } from '../../oci/error-code.ts'
import type { ApiReply } from '../api-request.ts'
import { ApiError } from './api-error.ts'

export const problemSchema = z
  .object({
    type: z.string().meta({ description: 'A link to the meaning of the code.' }),
    title: z.string().meta({ description: 'The name of the status.' }),
    status: z.int(),
    detail: z.string().meta({ description: 'The reason for the refusal, and what to do about it.' }),
    code: z.enum(errorCodes).meta({ description: 'A stable code: match on it.' }),
    requestId: z.string().meta({ description: 'The id of the request in the log of the registry.' }),
    errors: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'The faults of an invalid request, each with its field.' }),
  })
  .openapi('Problem')

type Problem = z.output<typeof problemSchema>

export interface ProblemContext {
  readonly requestId: string
  /** Whether a script in a browser sent the request: for it, a Basic challenge would open a login dialog. */
  readonly fromScript: boolean
}

export const problemType = 'application/problem+json'

export const titles: Readonly<Record<ErrorStatus, string>> = {
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
  416: 'Range Not Satisfiable',
  417: 'Expectation Failed',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  507: 'Insufficient Storage',
}

export function problemReply(thrown: unknown, context: ProblemContext): ApiReply {
  const refusal = findRefusal(thrown)
  const problem = describeProblem(refusal, context)
  const { status } = problem
  return {
    status,
    headers: ['Content-Type', problemType, ...(refusal === undefined ? [] : headersOf(refusal, context))],
    body: Buffer.from(JSON.stringify(problem)),
    endpoint: undefined,
    reason: problem.detail,
    fault: status >= 500 ? { error: thrown, expected: refusal !== undefined } : undefined,
  }
}

function describeProblem(refusal: Refusal | undefined, { requestId }: ProblemContext): Problem {
  const status = refusal?.status ?? 500
  const code = refusal?.code ?? 'UNKNOWN'
  const error = refusal?.error
  return {
    type: `/api/v1/docs#${code}`,
    title: titles[status],
    status,
    detail: refusal?.message ?? describeFault(requestId),
    code,
    requestId,
    ...(error instanceof ApiError && error.fields.length > 0 && { errors: [...error.fields] }),
  }
}

function headersOf({ error, status }: Refusal, context: ProblemContext): string[] {
  const headers: string[] = []
  if (status === 401) headers.push(...challenges(error.error, context))
  if (error instanceof ApiError && error.allow !== undefined) headers.push('Allow', error.allow)
  const { retryAfterSeconds: seconds } = error
  return seconds === undefined ? headers : [...headers, 'Retry-After', String(seconds)]
}

function challenges(reason: Refusal['error']['error'], { fromScript }: ProblemContext): string[] {
  const bearer = reason === undefined ? 'Bearer realm="lading"' : `Bearer realm="lading", error="${reason}"`
  const basic = fromScript ? [] : ['WWW-Authenticate', 'Basic realm="lading", charset="UTF-8"']
  return ['WWW-Authenticate', bearer, ...basic]
}
