/** The page for browsers at `/` and `/api/v1`: it names the registry, says how to log in, and links to the API reference. */
import { escapeHtml, formatHtml, styleSource } from './html.ts'
import { createPage, htmlHeaders } from './page.ts'
import type { Page } from './page.ts'

export interface HomePageText {
  readonly version: string
  /** The URL of this registry as the client sees it. */
  readonly registryUrl: string
  /** The path from this page to the pages of the API, for example `api/v1/`. Relative, so that it works behind a proxy. */
  readonly api: string
}

const headers = [...htmlHeaders(`style-src ${styleSource}; img-src data:`), 'Vary', 'Accept']

export function formatHomePage({ version, registryUrl, api }: HomePageText): Page {
  const host = escapeHtml(registryUrl.replace(/^https?:\/\//, ''))
  const body = `<main>
<h1>Lading <small>${escapeHtml(version)}</small></h1>
<p>This is a container registry. Its address is <code>${host}</code>.</p>
<h2>Log in</h2>
<pre>docker login ${host}</pre>
<p>Use your user name and your password, or an access token in place of the password. <code>podman login</code> and
<code>skopeo login</code> accept the same.${isPlain(registryUrl) ? plainHint : ''}</p>
<h2>Push and pull</h2>
<pre>docker tag app ${host}/&lt;owner&gt;/app:1.0
docker push ${host}/&lt;owner&gt;/app:1.0
docker pull ${host}/&lt;owner&gt;/app:1.0</pre>
<p>The owner is your user name or the name of an organization.</p>
<h2>API</h2>
<ul>
<li><a href="${api}docs">Reference of the management API</a></li>
<li><a href="${api}openapi.json">OpenAPI document</a>, for programs</li>
<li>Container clients use the OCI distribution API below <code>/v2/</code>.</li>
</ul>
</main>`
  return createPage({
    type: 'text/html; charset=utf-8',
    body: formatHtml({ title: 'Lading', body }),
    headers,
  })
}

const plainHint = ` This registry uses HTTP without TLS. Docker refuses it unless the address is listed in
<code>insecure-registries</code> of the Docker configuration.`

/** Whether clients refuse this URL because it is HTTP. They accept HTTP on the loopback interface. */
function isPlain(registryUrl: string): boolean {
  return /^http:\/\/(?!localhost[:/]|localhost$|127\.|\[::1\])/.test(registryUrl)
}
