/** Parts of requests and replies that several endpoints share. Requests are strict: unknown fields are refused. */
import { z } from './zod.ts'

/** One line of text that every database accepts and that cannot break a log line or a header. */
export function text(maxCharacters: number, { missing }: { readonly missing?: string } = {}) {
  return (
    z
      .string(missing === undefined ? undefined : { error: missing })
      .max(maxCharacters)
      // eslint-disable-next-line no-control-regex -- refuses them
      .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not contain control characters')
      .refine((value) => value.isWellFormed(), 'is not valid Unicode')
  )
}

const component = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/

/** The name of a user, an organization or a team: a component of a repository name. */
export const ownerName = z
  .string()
  .min(1)
  .max(100)
  .regex(component, 'use lower-case letters and digits, with ".", "_", "__" or dashes between them')
  .openapi({ example: 'acme' })

export const repositoryName = z
  .string()
  .max(255)
  .regex(
    /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)+$/,
    'write <owner>/<image>, in lower case',
  )
  .openapi({ example: 'acme/web' })

/** Has no default, since a default would silently mean everything. */
export const patternBelowOwner = text(200, {
  missing: 'name the repositories below the owner: "**" for all, "web/**" for some',
})
  .min(1)
  .openapi({
    description:
      'A pattern relative to the owner: `**` matches all repositories, `web/**` some. Do not repeat the name of the owner; `./acme/web` below `acme` is the repository `acme/acme/web`.',
    example: 'web/**',
  })

export const visibility = z.enum(['public', 'internal', 'private'])

/** A secret in a request. It is never echoed, not even in an error message. */
export const secret = z.string().min(1).max(1024).openapi({ format: 'password' })

export const time = z.iso.datetime().openapi({ example: '2026-01-02T03:04:05.000Z' })

export function formatTime(ms: number): string {
  return new Date(ms).toISOString()
}

/** The id of a row in a path or query. */
export const rowId = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'use the number that the list shows')
  .transform(Number)
  .openapi({ type: 'integer', minimum: 1, maximum: 999_999_999_999_999, example: 1 })
