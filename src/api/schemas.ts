/** Parts of requests and replies that several endpoints share. Requests are strict: what is not named is refused. */
import { z } from './zod.ts'

/** One line that every database takes as text, and no log line or header breaks on. */
export function text(maxCharacters: number, { missing }: { readonly missing?: string } = {}) {
  return (
    z
      .string(missing === undefined ? undefined : { error: missing })
      .max(maxCharacters)
      // eslint-disable-next-line no-control-regex -- what is refused
      .regex(/^[^\u0000-\u001f\u007f]*$/, 'it has control characters')
      .refine((value) => value.isWellFormed(), 'it is no valid Unicode')
  )
}

const component = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/

/** Of a user, an organization, a team or a role: a component of a repository name. */
export const ownerName = z
  .string()
  .min(1)
  .max(100)
  .regex(component, 'write lower-case letters and digits, with ".", "_", "__" or dashes between them')
  .openapi({ example: 'acme' })

export const repositoryName = z
  .string()
  .max(255)
  .regex(
    /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)+$/,
    'write <owner>/<image>, in lower case',
  )
  .openapi({ example: 'acme/web' })

/** Required: a default would silently mean everything. */
export const patternBelowOwner = text(200, {
  missing: 'say which repositories below the owner: "**" for all, "web/**" for a part',
})
  .min(1)
  .openapi({
    description:
      'A pattern below the owner: `**` is all, `web/**` a part. It does not repeat the name of the owner; `./acme/web` below `acme` is the repository `acme/acme/web`.',
    example: 'web/**',
  })

export const visibility = z.enum(['public', 'internal', 'private'])

/** A secret in a request: never echoed, not even in a message. */
export const secret = z.string().min(1).max(1024).openapi({ format: 'password' })

export const time = z.iso.datetime().openapi({ example: '2026-01-02T03:04:05.000Z' })

export function formatTime(ms: number): string {
  return new Date(ms).toISOString()
}

/** Of a row, as it stands in a path. */
export const rowId = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'write the number that the list shows')
  .transform(Number)
  .openapi({ type: 'integer', minimum: 1, maximum: 999_999_999_999_999, example: 1 })
