/** Finds the row of a request by its path and method. Paths are matched as received, component by component. */
import { apiPrefix } from './paths.ts'
import type { Endpoint } from './endpoint.ts'

export interface PathMatch {
  /** `undefined` if the path has no row with the method of the request. */
  readonly endpoint: Endpoint | undefined
  /** The values of the components in braces, percent-decoded. */
  readonly params: Readonly<Record<string, string>>
  /** The methods of the path, for `Allow`. */
  readonly allow: string
}

/** Returns `undefined` for a path without a row. `method` is the method of a row: pass GET for a HEAD request. */
export type Matcher = (method: string, path: string) => PathMatch | undefined

interface PathPattern {
  readonly components: readonly string[]
  readonly rows: readonly Endpoint[]
  readonly allow: string
}

export function createMatcher(endpoints: readonly Endpoint[]): Matcher {
  const patterns = [...Map.groupBy(endpoints, ({ path }) => path)].map(toPattern)
  const byLength = Map.groupBy(patterns.toSorted(compareSpecific), ({ components }) => components.length)
  return (method, path) => {
    if (!path.startsWith(`${apiPrefix}/`)) return undefined
    const components = path.slice(apiPrefix.length).split('/')
    const pattern = byLength.get(components.length)?.find((one) => isMatch(one, components))
    if (pattern === undefined) return undefined
    return {
      endpoint: pattern.rows.find((row) => row.method === method),
      params: readParams(pattern, components),
      allow: pattern.allow,
    }
  }
}

function toPattern([path, rows]: [string, readonly Endpoint[]]): PathPattern {
  const methods = rows.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  return { components: path.split('/'), rows, allow: methods.toSorted().join(', ') }
}

function isParameter(component: string): boolean {
  return component.startsWith('{')
}

/** Sorts `/owners/me` before `/owners/{owner}`. */
function compareSpecific(a: PathPattern, b: PathPattern): number {
  const first = a.components.findIndex(
    (component, index) => isParameter(component) !== isParameter(b.components[index] ?? ''),
  )
  return first === -1 ? 0 : Number(isParameter(a.components[first] ?? '')) * 2 - 1
}

function isMatch({ components }: PathPattern, asked: readonly string[]): boolean {
  return components.every((component, index) =>
    isParameter(component) ? asked[index] !== '' : component === asked[index],
  )
}

function readParams({ components }: PathPattern, asked: readonly string[]): Record<string, string> {
  const entries = components.flatMap((component, index) =>
    isParameter(component) ? [[component.slice(1, -1), decode(asked[index] ?? '')] as const] : [],
  )
  return Object.fromEntries(entries)
}

/** Leaves text that is not percent-encoded UTF-8 unchanged: no grammar of a name allows its `%`. */
function decode(component: string): string {
  try {
    return decodeURIComponent(component)
  } catch {
    return component
  }
}
