/** Normalises responses for comparison: removes everything that differs between any two runs. */
import type { Answer } from './send.ts'

export interface Normalised {
  /** The status, the error codes, and whether the body is complete. */
  readonly outcome: string
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

const neverEqual = new Set(['date'])

export function normalise(answer: Answer): Normalised {
  const headers = new Map<string, string>()
  for (const [name, value] of answer.headers) {
    if (!neverEqual.has(name)) headers.set(name, normaliseHeader(name, value, answer))
  }
  return {
    outcome: [String(answer.status), ...describeErrors(answer), ...(answer.cut ? ['(cut off)'] : [])].join(
      ' ',
    ),
    status: answer.status,
    headers,
    body: describeBody(answer),
  }
}

function normaliseHeader(name: string, value: string, answer: Answer): string {
  if (name === 'x-request-id') return '<id>'
  if (name === 'docker-upload-uuid') return '<upload>'
  if (name === 'location' || name === 'link') return normaliseUrl(value)
  if (name === 'content-length') return normaliseLength(value, answer)
  return value.replaceAll(/boundary=\S+/g, 'boundary=<boundary>')
}

/** Normalises a URL but keeps its form: absolute or not, with a state or not. */
function normaliseUrl(value: string): string {
  return value
    .replace(/blobs\/uploads\/[\w-]{8,}/, 'blobs/uploads/<upload>')
    .replace(/_state=[^&]+/, '_state=<state>')
}

/**
 * Replaces the length of JSON and text, whose words differ; keeps whether the length matches the body. For HEAD this cannot be
 * checked.
 */
function normaliseLength(value: string, answer: Answer): string {
  if (!isText(answer)) return value
  if (answer.body.length === 0 && answer.status >= 300) return '<length>'
  return Number(value) === answer.body.length ? '<length>' : value
}

function isText({ headers, status }: Answer): boolean {
  return status >= 300 || /^(application\/json|text\/)/.test(headers.get('content-type') ?? '')
}

function describeErrors({ status, body }: Answer): string[] {
  if (status < 300 || body.length === 0) return []
  try {
    const { errors } = JSON.parse(body.toString()) as {
      readonly errors: readonly { readonly code: string }[]
    }
    return errors.map(({ code }) => code)
  } catch {
    return ['(no error code)']
  }
}

function describeBody({ status, headers, body }: Answer): string {
  if (status >= 300) return ''
  const type = headers.get('content-type') ?? ''
  if (type.startsWith('application/json')) return canonicalJson(body)
  if (!type.startsWith('multipart/')) return body.toString('latin1')
  const boundary = /boundary=(\S+)/.exec(type)?.[1] ?? ''
  return body.toString('latin1').replaceAll(boundary, '<boundary>')
}

function canonicalJson(body: Buffer): string {
  try {
    return JSON.stringify(JSON.parse(body.toString()))
  } catch {
    return body.toString('latin1')
  }
}
