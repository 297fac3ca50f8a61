/**
 * PostgreSQL stores every character but NUL, and refuses a query that has one. Clients send what they like, in names and
 * passwords of logins, cursors, agents: NUL becomes the next character, U+0001, which is in the
 * same place in lists, and which no name of ours has.
 */
const nul = '\0'
const replacement = '\u{1}'

/** The same list when nothing in it needs to change. */
export function toStorable(parameters: readonly unknown[]): readonly unknown[] {
  return parameters.some((parameter) => hasNul(parameter))
    ? parameters.map((parameter) => replaceNul(parameter))
    : parameters
}

function hasNul(parameter: unknown): boolean {
  if (typeof parameter === 'string') return parameter.includes(nul)
  return Array.isArray(parameter) && parameter.some((entry) => hasNul(entry))
}

function replaceNul(parameter: unknown): unknown {
  if (typeof parameter === 'string') return parameter.replaceAll(nul, replacement)
  return Array.isArray(parameter) ? parameter.map((entry: unknown) => replaceNul(entry)) : parameter
}
