/** `Link` to the next page (RFC 8288; distribution-spec end-8b, end-12). */
export type LinkParameters = readonly (readonly [name: string, value: string])[]

/** An absolute path, so that no proxy header can make it wrong; values are escaped. */
export function formatNextLink(path: string, parameters: LinkParameters): string {
  const query = parameters.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')
  return `<${path}?${query}>; rel="next"`
}
