/** What browsers get at `/`, `/api/v1` and `/api/v1/docs`, and what other clients get there. */
import { hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { errorCodes } from '../../src/oci/error-code.ts'
import { ask } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'

const registry = shareRegistry({ auth: { anonymous: 'none' }, deps: { version: '1.2.3' } })

/** As Firefox and Chromium send it. */
const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }
const homes = ['/', '/?utm=1', '/api/v1', '/api/v1/']

function open(path: string, { method = 'GET', headers = {} } = {}): Promise<Answer> {
  return ask(`${registry.url}${path}`, { method, headers: { ...browser, ...headers } })
}

/** The targets of `href` and `src`, resolved as a browser does. */
function linksOf(path: string, page: Answer): URL[] {
  const targets = [...page.text().matchAll(/(?:href|src)="(?!data:)([^"]+)"/g)]
  return targets.map(([, target]) => new URL(target!, `${registry.url}${path}`))
}

describe.each(homes)('the home page at %s', (path) => {
  test('shows the name, the version and how to log in, without a login', async () => {
    const page = await open(path)
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
    expect(page.text()).toContain('Lading <small>1.2.3</small>')
    expect(page.text()).toContain(`docker login ${new URL(registry.url).host}`)
  })

  test('links to pages that exist', async () => {
    const links = linksOf(path, await open(path))
    expect(links.map(({ pathname }) => pathname)).toEqual(['/api/v1/docs', '/api/v1/openapi.json'])
    for (const link of links) expect((await ask(link.href)).status).toBe(200)
  })

  test('runs no script, loads nothing, and is a page of its own for caches', async () => {
    const page = await open(path)
    const { headers } = page
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    )
    expect(headers).toMatchObject({ vary: 'Accept', 'cache-control': 'no-cache' })
    expect(page.text()).not.toMatch(/<script|<img|<iframe/i)
  })
})

describe('other clients', () => {
  test.each([{}, { accept: '*/*' }, { accept: 'application/json' }, { accept: 'text/html;q=0' }])(
    'get the refusals of before, with %j',
    async (headers) => {
      const root = await ask(`${registry.url}/`, { headers })
      const { errors } = root.json() as { errors: { code: string }[] }
      expect([root.status, errors.map(({ code }) => code)]).toEqual([404, ['UNSUPPORTED']])
      const api = await ask(`${registry.url}/api/v1`, { headers })
      expect([api.status, api.headers['content-type']]).toEqual([404, 'application/problem+json'])
    },
  )

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s is refused, whatever it accepts', async (method) => {
    const { 'content-type': root } = (await open('/', { method })).headers
    expect(root).toBe('application/json')
    const { status, headers } = await open('/api/v1', { method })
    expect([status, headers['content-type']]).toEqual([404, 'application/problem+json'])
  })

  test('/v2 answers browsers as it answers clients', async () => {
    for (const path of ['/v2/', '/v2', '/v2/acme/web/tags/list', '/healthz']) {
      const [page, plain] = [await open(path), await ask(`${registry.url}${path}`)]
      expect(page.status).toBe(plain.status)
      expect(page.headers['content-type']).toBe(plain.headers['content-type'])
      expect(page.headers['www-authenticate']).toBe(plain.headers['www-authenticate'])
    }
  })
})

describe('the reference', () => {
  const path = '/api/v1/docs'

  async function readFiles(): Promise<{ page: Answer; script: Answer; style: Answer; names: string[] }> {
    const page = await ask(`${registry.url}${path}`)
    const urls = linksOf(path, page).filter(({ pathname }) => pathname.startsWith(`${path}/`))
    const style = await ask(urls.find(({ pathname }) => pathname.endsWith('.css'))!.href)
    const script = await ask(urls.find(({ pathname }) => pathname.endsWith('.js'))!.href)
    return { page, script, style, names: urls.map(({ pathname }) => pathname) }
  }

  test('is a viewer of this registry, and asks nobody else', async () => {
    const { page, script, style } = await readFiles()
    expect([page.status, script.status, style.status]).toEqual([200, 200, 200])
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8')
    expect(style.headers['content-type']).toBe('text/css; charset=utf-8')
    expect(linksOf(path, page).every(({ origin }) => origin === registry.url)).toBe(true)
    expect(page.text()).toContain("url: 'openapi.json'")
  })

  test('runs only its own two scripts', async () => {
    const { page, script } = await readFiles()
    const policy = page.headers['content-security-policy']
    const inline = /<script>([^<]+)<\/script>/.exec(page.text())?.[1] ?? ''
    const hashes = [script.body, inline].map((code) => `'sha256-${hash('sha256', code, 'base64')}'`)
    expect(policy).toContain(`default-src 'none'; script-src ${hashes.join(' ')};`)
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
    expect(page.text()).toContain(`integrity="${hashes[0]?.slice(1, -1)}"`)
  })

  test('may keep its files for ever: their names have a hash of their content', async () => {
    const { script, style, names } = await readFiles()
    for (const [file, name] of [
      [style, names.find((one) => one.endsWith('.css'))],
      [script, names.find((one) => one.endsWith('.js'))],
    ] as const) {
      expect(file.headers['cache-control']).toBe('public, max-age=31536000, immutable')
      expect(name).toContain(`.${hash('sha256', file.body, 'hex').slice(0, 16)}.`)
    }
    expect((await ask(`${registry.url}${path}/swagger-ui.0000000000000000.css`)).status).toBe(404)
  })

  test('has what each code means, where refusals link to', async () => {
    const text = (await ask(`${registry.url}${path}`)).text()
    const ids = [...text.matchAll(/<dt id="([A-Z_]+)"/g)].map(([, id]) => id!)
    expect(ids.filter((id) => !errorCodes.some((code) => code === id))).toEqual([])
    for (const id of ['DENIED', 'UNAUTHORIZED', 'NAME_UNKNOWN', 'UNSUPPORTED', 'UNKNOWN'])
      expect(ids).toContain(id)
  })
})

describe.each(['/', '/api/v1/docs', '/api/v1/openapi.json'])('%s', (path) => {
  test('answers HEAD with the headers of GET', async () => {
    const [head, get] = [await open(path, { method: 'HEAD' }), await open(path)]
    expect([head.status, head.body.length]).toEqual([200, 0])
    for (const name of ['etag', 'content-length', 'content-type', 'content-security-policy', 'cache-control'])
      expect(head.headers[name]).toBe(get.headers[name])
  })

  test('answers 304 while it is the same', async () => {
    const { etag = '' } = (await open(path)).headers
    const again = await open(path, { headers: { 'if-none-match': etag } })
    expect([again.status, again.body.length, again.headers.etag]).toEqual([304, 0, etag])
    expect((await open(path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
  })
})

test.each(['/api/v1/docs', '/api/v1/openapi.json'])('%s takes no other method', async (path) => {
  const { status, headers } = await open(path, { method: 'POST' })
  expect([status, headers.allow]).toEqual([405, 'GET, HEAD'])
})
