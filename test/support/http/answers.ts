/** Reads the parts of responses that protocol tests check: the error envelope, the next page, repeated headers. */
import { expect } from 'vitest'
import type { Answer } from './client.ts'
import { ask } from './client.ts'

export interface ErrorEntry {
  readonly code: string
  readonly message: string
  readonly detail?: unknown
}

export interface WantedError {
  readonly status: number
  readonly code: string
  /** Parts of the first error's message: the value concerned, and what to do about it. */
  readonly naming?: readonly (string | RegExp)[]
}

/** Returns the entries of an OCI error body. Throws when there are none (distribution-spec, error codes). */
export function errorsOf(answer: Answer): readonly ErrorEntry[] {
  expect(answer.headers['content-type']).toBe('application/json')
  const { errors } = answer.json() as { readonly errors: readonly ErrorEntry[] }
  expect(Array.isArray(errors) && errors.length > 0).toBe(true)
  for (const { code, message } of errors) {
    expect(code).toMatch(/^[A-Z_]+$/)
    expect(message).toMatch(/\S/)
  }
  return errors
}

/** Checks status, envelope, code and parts of the message. */
export function expectError(answer: Answer, { status, code, naming = [] }: WantedError): void {
  const text = answer.text()
  expect(`${answer.status} ${text}`).toMatch(new RegExp(`^${status} `))
  const [first] = errorsOf(answer)
  expect(first?.code).toBe(code)
  for (const part of naming) {
    if (typeof part === 'string') expect(first?.message).toContain(part)
    else expect(first?.message).toMatch(part)
  }
}

/** Fails with the status and the body of the response, which explains it. */
export function expectStatus(answer: Answer, status: number): void {
  expect(`${answer.status} ${answer.status < 400 ? '' : answer.text()}`).toMatch(new RegExp(`^${status} `))
}

/** Returns the path of `Link: <path>; rel="next"`, or `undefined` on the last page. Throws for any other form. */
export function nextPage(answer: Answer): string | undefined {
  const { link } = answer.headers
  if (link === undefined) return undefined
  const match = /^<(\/v2\/[^<>\s]*)>; rel="next"$/.exec(String(link))
  if (match === null) throw new Error(`Link is ${String(link)}`)
  return match[1]
}

/** Follows the links from `path` to the last page. Returns the responses of all pages. */
export async function followPages(url: string, path: string): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let next: string | undefined = path; next !== undefined; next = nextPage(answers.at(-1)!)) {
    const answer = await ask(`${url}${next}`)
    expectStatus(answer, 200)
    answers.push(answer)
    if (answers.length > 1000) throw new Error(`the pages of ${path} do not end`)
  }
  return answers
}

/** Returns every value of a header that may be repeated or hold a comma-separated list. */
export function valuesOf(answer: Answer, name: string): string[] {
  return answer.rawHeaders
    .filter((_text, index, all) => index % 2 === 1 && all[index - 1]?.toLowerCase() === name)
    .flatMap((value) => value.split(','))
    .map((value) => value.trim())
}
