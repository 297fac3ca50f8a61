/**
 * The files of Swagger UI for the reference of the API. `npm run build` copies them into the package, below this file. A
 * checkout reads them from `node_modules`.
 */
import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createPage } from './page.ts'
import type { Page } from './page.ts'

export interface ViewerFile {
  /** The file name with a hash of the content, for example `swagger-ui.3f0a9c….css`. */
  readonly name: string
  /** The hash for the attribute `integrity` and the Content-Security-Policy. */
  readonly integrity: string
  readonly page: Page
}

export interface Viewer {
  readonly script: ViewerFile
  readonly style: ViewerFile
}

const scriptName = 'swagger-ui-bundle.js'
const styleName = 'swagger-ui.css'

/** Returns `undefined` if the files are not installed, as in a checkout without development packages. */
export async function readViewer(): Promise<Viewer | undefined> {
  const [script, style] = await Promise.all([findFile(scriptName), findFile(styleName)])
  if (script === undefined || style === undefined) return undefined
  return {
    script: toViewerFile(scriptName, 'text/javascript; charset=utf-8', script),
    style: toViewerFile(styleName, 'text/css; charset=utf-8', style),
  }
}

function toViewerFile(name: string, type: string, body: Uint8Array): ViewerFile {
  const hashed = name.replace(/\.(?=[a-z]+$)/, `.${hash('sha256', body, 'hex').slice(0, 16)}.`)
  const integrity = `sha256-${hash('sha256', body, 'base64')}`
  return { name: hashed, integrity, page: createPage({ type, body, immutable: true }) }
}

async function findFile(name: string): Promise<Uint8Array | undefined> {
  const packed = await readIfThere(() => new URL(`swagger-ui/${name}`, import.meta.url))
  return packed ?? readIfThere(() => createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`))
}

async function readIfThere(find: () => URL | string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(find())
  } catch (error) {
    if (['ENOENT', 'MODULE_NOT_FOUND'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
