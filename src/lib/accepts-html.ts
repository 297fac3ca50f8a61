/** Whether a client asks for a page: browsers name `text/html` when they navigate, programs do not. */

/** `accept` is the header (RFC 9110, 12.5.1). A wildcard asks for no page, nor does a client that prefers JSON. */
export function acceptsHtml(accept: string | undefined): boolean {
  if (accept === undefined) return false
  const html = weightOf(accept, 'text/html')
  return html > 0 && html >= weightOf(accept, 'application/json')
}

/** Returns 0 for a type that the header does not name. */
function weightOf(accept: string, type: string): number {
  for (const part of accept.toLowerCase().split(',')) {
    const [range = '', ...parameters] = part.split(';').map((text) => text.trim())
    if (range !== type) continue
    const weight = parameters.find((parameter) => parameter.startsWith('q='))
    return weight === undefined ? 1 : Number(weight.slice(2)) || 0
  }
  return 0
}
