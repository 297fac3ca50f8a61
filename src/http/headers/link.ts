/** The `Link` to the next page (RFC 8288; distribution-spec end-8b, end-12). */
export type LinkParameters = readonly (readonly [name: string, value: string])[]

/** Formats the link with an absolute path, which no proxy header can make wrong, and escapes the values. */
export function formatNextLink(path: string, parameters: LinkParameters): string {
  const query = parameters.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')
  return `<${path}?${query}>; rel="next"`
}
