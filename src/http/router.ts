/**
 * Maps the target of a request line to a row of the table. Paths are matched from the right, because a repository name
 * contains slashes and may itself contain `blobs`, `manifests`, `tags`, `uploads` or `referrers`. The name and the last
 * component are decoded once: some clients send `%2F` between the parts of a name. Any `%`, `..` or `//` that remains
 * fails the grammar of names.
 */
import type { Route } from './route.ts'

export interface Match {
  readonly path: string
  readonly rawQuery: string
  /** The row; `undefined` if the path is known and the method is not. */
  readonly route: Route | undefined
  /** The methods of the path, for `Allow`. */
  readonly allow: string
  /** The repository name, decoded and unchecked; `undefined` for paths without a repository. */
  readonly name: string | undefined
  readonly argument: string
}

export type Router = (method: string, target: string) => Match | undefined

interface Path {
  readonly allow: string
  readonly routes: ReadonlyMap<string, Route>
}

interface Found {
  readonly entry: Path
  readonly name: string | undefined
  readonly argument: string
}

const prefix = '/v2/'
const repositoryMark = '/v2/<repository>'

export function createRouter(routes: readonly Route[]): Router {
  const findPath = createPathFinder(groupByPath(routes))
  return (method, target) => {
    const origin = target.startsWith('/') ? target : stripAuthority(target)
    const mark = origin.indexOf('?')
    const path = mark === -1 ? origin : origin.slice(0, mark)
    const found = findPath(path)
    if (found === undefined) return undefined
    return {
      path,
      rawQuery: mark === -1 ? '' : origin.slice(mark + 1),
      route: found.entry.routes.get(method),
      allow: found.entry.allow,
      name: found.name,
      argument: found.argument,
    }
  }
}

/** Removes scheme and authority: a server must accept the absolute form too (RFC 9112, 3.2.2). */
export function stripAuthority(target: string): string {
  return target.replace(/^https?:\/\/[^/?]*/i, '')
}

function groupByPath(routes: readonly Route[]): ReadonlyMap<string, Path> {
  const byPath = Map.groupBy(routes, (route) => route.path)
  return new Map([...byPath].map(([path, rows]) => [path, toPath(rows)]))
}

/** Adds HEAD to each path that has GET and no row for HEAD: it is GET without the content (RFC 9110, 9.3.2). */
function toPath(rows: readonly Route[]): Path {
  const routes = new Map<string, Route>(rows.map((row) => [row.method, row]))
  const get = routes.get('GET')
  if (get !== undefined && !routes.has('HEAD')) routes.set('HEAD', get)
  return { allow: [...routes.keys()].sort().join(', '), routes }
}

function createPathFinder(paths: ReadonlyMap<string, Path>): (path: string) => Found | undefined {
  const exact = new Map<string, Found>()
  const fixed: { suffix: string; entry: Path }[] = []
  const open: { suffix: string; entry: Path }[] = []
  for (const [path, entry] of paths) {
    const argumentAt = path.lastIndexOf('/<')
    if (!path.startsWith(repositoryMark)) exact.set(path, { entry, name: undefined, argument: '' })
    else if (argumentAt < repositoryMark.length)
      fixed.push({ suffix: path.slice(repositoryMark.length), entry })
    else open.push({ suffix: path.slice(repositoryMark.length, argumentAt), entry })
  }
  // Tries `blobs/uploads/<id>` before `blobs/<digest>`.
  open.sort((a, b) => b.suffix.length - a.suffix.length)

  return (path) => {
    const known = exact.get(path)
    if (known !== undefined) return known
    if (!path.startsWith(prefix)) return undefined
    for (const { suffix, entry } of fixed) {
      if (path.endsWith(suffix))
        return { entry, name: nameIn(path, path.length - suffix.length), argument: '' }
    }
    const slash = path.lastIndexOf('/')
    if (slash === path.length - 1) return undefined
    for (const { suffix, entry } of open) {
      if (!path.endsWith(suffix, slash)) continue
      return {
        entry,
        name: nameIn(path, slash - suffix.length),
        argument: decodeComponent(path.slice(slash + 1)),
      }
    }
    return undefined
  }
}

/** Returns the name, or an empty one for paths such as `/v2/tags/list`: the grammar of names then explains the error. */
function nameIn(path: string, end: number): string {
  return end < prefix.length ? '' : decodeComponent(path.slice(prefix.length, end))
}

/** Decodes a component. An invalid escape is left unchanged, and the parser of the component refuses it. */
function decodeComponent(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
