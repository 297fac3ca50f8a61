/** Reads the input of a row from a request: path, query and body, each parsed by the row's schema. */
import type { z } from '../zod.ts'
import { ApiError, invalid } from '../errors/api-error.ts'
import type { FieldFault } from '../errors/api-error.ts'
import type { ApiRequest } from '../api-request.ts'
import { header } from '../../edge/admission-request.ts'
import type { Endpoint } from '../endpoint.ts'

export const maxBodyBytes = 64 * 1024
/** Several times what any endpoint takes. Naming thousands of unknown ones takes 5 ms. */
const maxParameters = 100

type Values = Readonly<Record<string, unknown>>

const utf8 = new TextDecoder('utf-8', { fatal: true })

export function readParams(endpoint: Endpoint, params: Values): Values {
  return parse(endpoint.params, params, 'path') as Values
}

/** Refuses undeclared parameters, so that none can reach a database column. */
export function readQuery(endpoint: Endpoint, { rawQuery }: ApiRequest): Values {
  const parameters = new URLSearchParams(rawQuery)
  if (parameters.size > maxParameters) {
    const message = `has ${parameters.size} parameters; send at most ${maxParameters}`
    throw invalid([{ field: 'query', message }])
  }
  const values: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const [name, value] of parameters) {
    if (name in values) throw invalid([{ field: `query.${name}`, message: 'is given twice' }])
    values[name] = value
  }
  return parse(endpoint.query, { ...values }, 'query') as Values
}

export async function readBody({ body }: Endpoint, request: ApiRequest): Promise<unknown> {
  if (body === undefined) return undefined
  const type = header(request, 'content-type') ?? ''
  if (!/^application\/json\s*(?:;|$)/i.test(type)) {
    throw new ApiError('MEDIA_TYPE_UNSUPPORTED', {
      message: 'the body must be JSON: send it with Content-Type application/json',
    })
  }
  return parse(body, parseJson(await request.readBody(maxBodyBytes)), 'body')
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch {
    throw invalid([{ field: 'body', message: 'is not valid UTF-8 JSON' }])
  }
}

function parse(schema: z.ZodType, value: unknown, place: string): unknown {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw invalid(result.error.issues.flatMap((issue) => toFaults(issue, place)))
}

const maxNameLength = 100

/** Names the field, never its value. */
function toFaults(issue: z.core.$ZodIssue, place: string): FieldFault[] {
  const path = [place, ...issue.path.map((part) => String(part).slice(0, maxNameLength))].join('.')
  if (issue.code !== 'unrecognized_keys') return [{ field: path, message: issue.message }]
  return issue.keys.map((key) => ({
    field: `${path}.${key.slice(0, maxNameLength)}`,
    message: 'is not a known field',
  }))
}
