import { parseDigest } from './digest.ts'
import type { Digest } from './digest.ts'
import { parseTagName } from './tag-name.ts'
import type { TagName } from './tag-name.ts'

/** Names a manifest in a URL: a tag or a digest. */
export type Reference =
  | { readonly kind: 'tag'; readonly tag: TagName }
  | { readonly kind: 'digest'; readonly digest: Digest }

/** A text with a colon is a digest: tags cannot contain one. Throws `DigestInvalidError` or `TagInvalidError`. */
export function parseReference(text: string): Reference {
  if (text.includes(':')) return { kind: 'digest', digest: parseDigest(text) }
  return { kind: 'tag', tag: parseTagName(text) }
}

export function formatReference(reference: Reference): string {
  return reference.kind === 'tag' ? reference.tag : reference.digest
}
