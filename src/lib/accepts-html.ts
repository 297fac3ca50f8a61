/** Tells browsers from programs: browsers list `text/html` in `Accept` when they navigate; programs do not. */

/** Whether the `Accept` header (RFC 9110, 12.5.1) asks for a page. A wildcard does not, nor does a header that prefers JSON. */
export function acceptsHtml(accept: string | undefined): boolean {
  if (accept === undefined) return false
  const html = weightOf(accept, 'text/html')
  return html > 0 && html >= weightOf(accept, 'application/json')
}

/** Returns the weight of the type, or 0 if the header does not name it. */
function weightOf(accept: string, type: string): number {
  for (const part of accept.toLowerCase().split(',')) {
    const [range = '', ...parameters] = part.split(';').map((text) => text.trim())
    if (range !== type) continue
    const weight = parameters.find((parameter) => parameter.startsWith('q='))
    return weight === undefined ? 1 : Number(weight.slice(2)) || 0
  }
  return 0
}
