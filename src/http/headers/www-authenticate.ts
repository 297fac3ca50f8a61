/** `WWW-Authenticate` (RFC 9110, 11.6.1): one header line per challenge, every value quoted, as clients expect it. */
export interface Challenge {
  readonly scheme: 'Basic' | 'Bearer'
  /** In the order in which they are written. */
  readonly parameters: Readonly<Record<string, string>>
}

export function formatChallenge({ scheme, parameters }: Challenge): string {
  const fields = Object.entries(parameters).map(([name, value]) => `${name}="${escapeQuoted(value)}"`)
  return fields.length === 0 ? scheme : `${scheme} ${fields.join(',')}`
}

/** A quoted-string holds no control characters; quotes and backslashes are escaped. */
function escapeQuoted(value: string): string {
  return value.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, String.raw`\$&`)
}
