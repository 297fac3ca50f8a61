/** `WWW-Authenticate` (RFC 9110, 11.6.1): one header line per challenge, every value quoted, as clients expect it. */
export interface Challenge {
  readonly scheme: 'Basic' | 'Bearer'
  /** The parameters, in the order in which they are written. */
  readonly parameters: Readonly<Record<string, string>>
}

export function formatChallenge({ scheme, parameters }: Challenge): string {
  const fields = Object.entries(parameters).map(([name, value]) => `${name}="${escapeQuoted(value)}"`)
  return fields.length === 0 ? scheme : `${scheme} ${fields.join(',')}`
}

const maxDescriptionCharacters = 500

/**
 * Formats an `error_description` for a challenge (RFC 6750, 3): ASCII without quotes and backslashes, at most 500
 * characters.
 */
export function formatDescription(text: string): string {
  return text
    .slice(0, maxDescriptionCharacters)
    .replaceAll('"', "'")
    .replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '?')
}

/** Escapes quotes and backslashes, and replaces characters that a quoted-string must not contain or that are not ASCII. */
function escapeQuoted(value: string): string {
  return value.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, String.raw`\$&`)
}
