/**
 * The table of endpoints: one row each, in the order and with the ids of the distribution-spec, and with the action
 * that the policy decides. The router matches it, `handle-request.ts` reads its columns, and `docs/api.md` prints it. A
 * new endpoint is a row here and a handler in `handlers/`.
 */
import { deleteBlob, getBlob } from './handlers/blobs.ts'
import { listCatalog } from './handlers/catalog.ts'
import { discoverExtensions } from './handlers/extensions.ts'
import { answerAlive, answerReady } from './handlers/health.ts'
import { deleteManifest, getManifest, putManifest } from './handlers/manifests.ts'
import { answerMetrics } from './handlers/metrics.ts'
import { ping } from './handlers/ping.ts'
import { listReferrers } from './handlers/referrers.ts'
import { listTags } from './handlers/tags.ts'
import { getToken, postToken } from './handlers/token.ts'
import { deleteUpload, getUpload, patchUpload, postUpload, putUpload } from './handlers/uploads.ts'
import type { Route } from './route.ts'
import { tokenPath, tokenRouteId } from './token-route.ts'

const blob = '/v2/<repository>/blobs/<digest>'
const manifest = '/v2/<repository>/manifests/<reference>'
const uploads = '/v2/<repository>/blobs/uploads/'
const upload = '/v2/<repository>/blobs/uploads/<uploadId>'
const tags = '/v2/<repository>/tags/list'
const referrers = '/v2/<repository>/referrers/<digest>'

// oxfmt-ignore
export const routes: readonly Route[] = [
  { id: 'end-1', method: 'GET', path: '/v2/', action: 'enter', body: 'none', handler: ping, summary: 'confirms that this is a registry, or asks for credentials' },
  { id: 'end-1', method: 'GET', path: '/v2', action: 'enter', body: 'none', handler: ping, summary: 'like `/v2/`, for clients that omit the slash' },
  { id: 'end-2', method: 'GET', path: blob, action: 'pull', body: 'none', handler: getBlob, summary: 'a blob, whole or in ranges' },
  { id: 'end-2', method: 'HEAD', path: blob, action: 'pull', body: 'none', handler: getBlob, summary: 'the size of a blob' },
  { id: 'end-3', method: 'GET', path: manifest, action: 'pull', body: 'none', handler: getManifest, summary: 'a manifest, byte for byte as pushed' },
  { id: 'end-3', method: 'HEAD', path: manifest, action: 'pull', body: 'none', handler: getManifest, summary: 'the digest, media type and size of a manifest' },
  { id: 'end-4a, end-4b, end-4c, end-11', method: 'POST', path: uploads, action: 'push', body: 'stream', handler: postUpload, summary: 'starts an upload session; `?digest=` uploads in one request, `?mount=[&from=]` mounts, `?digest-algorithm=` announces the algorithm' },
  { id: 'end-4a, end-4b, end-4c, end-11', method: 'POST', path: '/v2/<repository>/blobs/uploads', action: 'push', body: 'stream', handler: postUpload, summary: 'like `uploads/`, for clients that omit the slash' },
  { id: 'end-5', method: 'PATCH', path: upload, action: 'push', body: 'stream', handler: patchUpload, summary: 'appends a chunk (`Content-Range`) or a stream' },
  { id: 'end-6', method: 'PUT', path: upload, action: 'push', body: 'stream', handler: putUpload, summary: 'ends a session with `?digest=`; the body may be the last chunk' },
  { id: 'end-7a, end-7b', method: 'PUT', path: manifest, action: 'push', body: 'manifest', handler: putManifest, summary: 'stores a manifest; `?tag=` (repeated) tags a push by digest; `If-Match` and `If-None-Match` guard a tag' },
  { id: 'end-8a, end-8b', method: 'GET', path: tags, action: 'pull', body: 'none', handler: listTags, summary: 'tags in byte order; `?n=&last=`' },
  { id: 'end-9', method: 'DELETE', path: manifest, action: 'delete', body: 'none', handler: deleteManifest, summary: 'by tag: removes the tag; by digest: removes the manifest and all its tags; `If-Match` guards a tag' },
  { id: 'end-10', method: 'DELETE', path: blob, action: 'delete', body: 'none', handler: deleteBlob, summary: 'removes a blob from the repository, unless a manifest uses it' },
  { id: 'end-12a, end-12b', method: 'GET', path: referrers, action: 'pull', body: 'none', handler: listReferrers, summary: 'manifests whose subject is the digest; `?artifactType=` (repeated) filters' },
  { id: 'end-13', method: 'GET', path: upload, action: 'push', body: 'none', handler: getUpload, summary: 'how many bytes an upload session has received' },
  { id: 'end-14', method: 'DELETE', path: upload, action: 'push', body: 'none', handler: deleteUpload, summary: 'cancels an upload session' },
  { id: 'catalog', method: 'GET', path: '/v2/_catalog', action: 'catalog', body: 'none', handler: listCatalog, summary: 'repositories that the caller may pull; `?n=&last=`' },
  { id: 'ext-discover', method: 'GET', path: '/v2/_oci/ext/discover', action: 'enter', body: 'none', handler: discoverExtensions, summary: 'extensions of this registry' },
  { id: 'ext-discover', method: 'GET', path: '/v2/<repository>/_oci/ext/discover', action: 'pull', body: 'none', handler: discoverExtensions, summary: 'extensions of a repository' },
  { id: tokenRouteId, method: 'GET', path: tokenPath, action: 'none', body: 'none', handler: getToken, summary: 'issues a bearer token for the `?scope=` (repeated, or separated by spaces) that the caller may have, with a name and password (Basic) or without a login' },
  { id: tokenRouteId, method: 'POST', path: tokenPath, action: 'none', body: 'form', handler: postToken, summary: 'issues a bearer token by OAuth 2 (`grant_type` `password` or `refresh_token`)' },
  { id: 'healthz', method: 'GET', path: '/healthz', action: 'none', body: 'none', handler: answerAlive, summary: '200 while the process answers' },
  { id: 'metrics', method: 'GET', path: '/metrics', action: 'none', body: 'none', handler: answerMetrics, summary: 'metrics for Prometheus; send `metrics.token` as a bearer token if it is set' },
  { id: 'readyz', method: 'GET', path: '/readyz', action: 'none', body: 'none', handler: answerReady, summary: '200 if database and store answer, otherwise 503' },
]
