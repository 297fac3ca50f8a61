/**
 * PostgreSQL stores every character but NUL, and refuses a query that contains it. Clients may send it in names and
 * passwords of logins, cursors and user agents. Each NUL is replaced by the next character, U+0001: it sorts to the same
 * place in lists, and no valid name contains it.
 */
const nul = '\0'
const replacement = '\u{1}'

/** Returns the parameters without NUL; the same list if there is nothing to replace. */
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
