/** Serves the pages of the API and the home page, by path. All but the home page are made at the first request. */
import { acceptsHtml } from '../../lib/accepts-html.ts'
import type { ApiReply, ApiRequest } from '../api-request.ts'
import { header } from '../../edge/admission-request.ts'
import { methodUnsupported } from '../errors/no-endpoint.ts'
import { apiPrefix } from '../paths.ts'
import { createDocsPage } from './docs-page.ts'
import { formatHomePage } from './home-page.ts'
import { describeApi } from './openapi-document.ts'
import { createPage, pageReply } from './page.ts'
import type { Page } from './page.ts'
import { readViewer } from './viewer.ts'

/** The relative path from each path of the home page to the pages of the API. */
const homePaths: Readonly<Record<string, string>> = {
  '/': 'api/v1/',
  [apiPrefix]: 'v1/',
  [`${apiPrefix}/`]: '',
}

const docsPath = `${apiPrefix}/docs`

const readOnly: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/** Resolves to `undefined` if no page answers the request. Rejects with `ApiError` (405). */
export type PageAnswer = (http: ApiRequest) => Promise<ApiReply | undefined>

export function createPages(version: string): PageAnswer {
  const getViewer = once(readViewer)
  const getDocs = once(async () => createDocsPage(await getViewer()))
  const getDocument = once(() =>
    createPage({ type: 'application/json', body: JSON.stringify(describeApi()) }),
  )

  const find = async (path: string): Promise<{ readonly id: string; readonly page: Page } | undefined> => {
    if (path === `${apiPrefix}/openapi.json`) return { id: 'openapi.json', page: await getDocument() }
    if (path === docsPath) return { id: 'docs', page: await getDocs() }
    if (!path.startsWith(`${docsPath}/`)) return undefined
    const { script, style } = (await getViewer()) ?? {}
    const file = [script, style].find((one) => one !== undefined && path === `${docsPath}/${one.name}`)
    return file && { id: 'docs-file', page: file.page }
  }

  return async (http) => {
    const { method, path, registryUrl } = http
    const api = homePaths[path]
    if (api !== undefined) {
      if (!readOnly.has(method) || !acceptsHtml(header(http, 'accept'))) return undefined
      return pageReply(http, formatHomePage({ version, registryUrl, api }), { id: 'home', path })
    }
    const found = await find(path)
    if (found === undefined) return undefined
    if (!readOnly.has(method)) throw methodUnsupported(method, 'GET, HEAD')
    const { id, page } = found
    return pageReply(http, page, { id, path: id === 'docs-file' ? `${docsPath}/<file>` : path })
  }
}

/** Remembers the result of `make`, but not a failure. */
function once<T>(make: () => T | Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= Promise.resolve().then(make)
    made.catch(() => (made = undefined))
    return made
  }
}
