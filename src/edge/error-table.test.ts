import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { codeOfKind } from '../oci/error-code.ts'
import type { ErrorKind } from '../oci/error-code.ts'
import { OciError } from '../oci/oci-error.ts'
import { findRefusal } from './refusal.ts'

const statuses: Record<ErrorKind, number> = {
  REQUEST_MALFORMED: 400,
  TOKEN_REQUEST_INVALID: 400,
  REFRESH_TOKENS_OFF: 400,
  INPUT_INVALID: 400,
  SWITCHED_OFF: 403,
  PATH_UNKNOWN: 404,
  BODY_STALLED: 408,
  BODY_TOO_SLOW: 408,
  CONFLICT: 409,
  PRECONDITION_FAILED: 412,
  CONTENT_CHANGED: 412,
  MANIFEST_TOO_LARGE: 413,
  FORM_TOO_LARGE: 413,
  BODY_TOO_LARGE: 413,
  URL_TOO_LONG: 414,
  TOO_MANY_TAGS: 414,
  MEDIA_TYPE_UNSUPPORTED: 415,
  EXPECTATION_UNKNOWN: 417,
  STORAGE_FULL: 507,
}

/** Returns each class in the sources that declares a kind, with the code that it declares. */
function declaredKinds(): { name: string; kind: string; code: string | undefined }[] {
  const root = join(import.meta.dirname, '..')
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .flatMap((path) =>
      readFileSync(join(root, path), 'utf8')
        .split(/^export (?:abstract )?class /m)
        .slice(1),
    )
    .flatMap((text) => {
      const kind = /readonly kind = '(\w+)'/.exec(text)?.[1]
      const code = /readonly code = '(\w+)'/.exec(text)?.[1]
      return kind === undefined ? [] : [{ name: /^\w+/.exec(text)?.[0] ?? '', kind, code }]
    })
}

describe('the kind of a refusal', () => {
  test.each(Object.entries(statuses))('%s has status %i', (kind, status) => {
    class Special extends OciError {
      readonly code = codeOfKind[kind as ErrorKind]
      override readonly kind = kind as ErrorKind
      readonly detail = null
    }
    const code = codeOfKind[kind as ErrorKind]
    expect(findRefusal(new Special('no'))).toMatchObject({ status, code, message: 'no' })
  })

  test.each(declaredKinds())('of $name belongs to its code', ({ kind, code }) => {
    expect(codeOfKind).toHaveProperty(kind, code)
  })
})

test('a fault of the server is no refusal', () => {
  expect(findRefusal(new Error('secret'))).toBeUndefined()
})
