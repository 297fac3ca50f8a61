import { nothing } from '../compare.ts'
import type { Case, Chapter } from '../reason.ts'
import { answers, header } from '../reason.ts'

const otherMethods = /: (?:OPTIONS|PROPFIND|POST|PATCH|DELETE|PUT) /

/** Returns the cases of a script whose path Distribution does not have. */
function ownPath(name: string, allow: string): Case[] {
  const requests = new RegExp(`^${name}${otherMethods.source}`)
  return [
    answers('404 (no error code)', '405 UNSUPPORTED', requests),
    header('allow', nothing, allow, requests),
  ]
}

export const paths: Chapter = {
  title: 'Methods and paths',
  reasons: [
    {
      title: 'OPTIONS is not supported',
      source: 'RFC 9110, 9.1',
      text: '"All general-purpose servers MUST support the methods GET and HEAD. All other methods are OPTIONAL." The 405 lists the methods in `Allow`, as a reply to OPTIONS would, and the failed preflight blocks scripts of other origins.',
      cases: [
        answers('200', '405 UNSUPPORTED', /: OPTIONS \//),
        answers('200', '405 UNSUPPORTED', /: OPTIONS <session>/),
        answers('200', '404 UNSUPPORTED', /^paths: OPTIONS \*$/),
      ],
    },
    {
      title: '`/v2/` is for GET and HEAD',
      source: 'RFC 9110, 15.5.6',
      text: 'end-1 defines only GET. For other methods, 405 says that the "method received in the request-line is known by the origin server but not supported by the target resource"; Distribution answers 200 to all methods.',
      cases: [answers('200', '405 UNSUPPORTED', /^route-v-slash: (?:PROPFIND|POST|PATCH|DELETE|PUT) /)],
    },
    {
      title: '`/v2` without the trailing slash',
      source: 'Our choice',
      text: 'Clients that omit the slash get the reply immediately. A redirect would not help other methods either.',
      cases: [
        answers('301 (no error code)', '200', /^route-v: GET /),
        answers('301', '200', /^route-v: HEAD /),
        answers('301', '405 UNSUPPORTED', /^route-v: /),
      ],
    },
    {
      title: 'HEAD for every GET',
      source: 'RFC 9110, 9.1',
      text: '"All general-purpose servers MUST support the methods GET and HEAD." Distribution refuses HEAD of tags and of the catalog.',
      cases: [
        answers('405', '200', /: HEAD /),
        answers('405', '404', /^unknown-repository: HEAD .*tags\/list$/),
        header('allow', 'GET', 'GET, HEAD'),
        header('allow', 'GET', nothing, /: HEAD .*tags\/list$/),
      ],
    },
    {
      title: 'Methods for uploads and sessions',
      source: 'distribution-spec, endpoints',
      text: 'Only POST starts a session (end-4a), and a session does not support POST (end-5, end-6, end-13, end-14): 405 with `Allow` (RFC 9110, 15.5.6). Distribution treats both paths as one endpoint: without an id it looks for a session with an empty name, and a POST to a session starts another session.',
      cases: [
        answers(
          '404 BLOB_UPLOAD_UNKNOWN',
          '405 UNSUPPORTED',
          /^(?:route-v-repository-blobs-uploads-slash|upload-endings): /,
        ),
        answers('404', '405', /^route-v-repository-blobs-uploads-slash: HEAD /),
        header('allow', nothing, 'POST', /^(?:route-v-repository-blobs-uploads-slash|upload-endings): /),
        header('allow', 'DELETE, GET, HEAD, PATCH, POST, PUT', 'POST'),
        answers('202', '405 UNSUPPORTED', /: POST <session>/),
        header('allow', 'DELETE, GET, HEAD, PATCH, POST, PUT', 'DELETE, GET, HEAD, PATCH, PUT'),
      ],
    },
    {
      title: '`blobs/uploads` without the trailing slash',
      source: 'Our choice',
      text: "end-4a has the slash; clients that omit it get their upload immediately. Most clients turn a POST into a GET when they follow a 301, so Distribution's redirect starts no upload.",
      cases: [
        answers(
          '301',
          '202',
          /^(?:route-v-repository-blobs-uploads|upload-at-once): POST .*blobs\/uploads(?: — |$)/,
        ),
        answers('301 (no error code)', '405 UNSUPPORTED', /^route-v-repository-blobs-uploads: GET /),
        answers('301', '405', /^route-v-repository-blobs-uploads: HEAD /),
        answers('301', '405 UNSUPPORTED', /^route-v-repository-blobs-uploads: /),
      ],
    },
    {
      title: 'The extension API',
      source: 'distribution-spec, extensions',
      text: '`_oci/ext/discover` lists the extensions of a registry; Lading has none. Distribution does not have the endpoint.',
      cases: [
        answers('404 (no error code)', '200', /^route-v-(?:repository-)?oci-ext-discover: GET /),
        answers('404', '200', /^route-v-(?:repository-)?oci-ext-discover: HEAD /),
        ...ownPath('route-v-(?:repository-)?oci-ext-discover', 'GET, HEAD'),
      ],
    },
    {
      title: 'A token endpoint in the registry',
      source: 'Our choice',
      text: 'Lading issues its tokens itself; Distribution leaves that to another server.',
      cases: [
        answers('404 (no error code)', '200', /^route-v-token: GET /),
        answers('404', '200', /^route-v-token: HEAD /),
        answers('404 (no error code)', '400 UNSUPPORTED', /^route-v-token: POST /),
        ...ownPath('route-v-token', 'GET, HEAD, POST'),
      ],
    },
    {
      title: 'Health and metrics on the same port',
      source: 'Our choice',
      text: 'Probes need no second port. Distribution serves both on a debug port that is off by default. Without a configured token, GET of `/metrics` answers as if the path did not exist.',
      cases: [
        answers('404 (no error code)', '200', /^route-(?:healthz|readyz): GET /),
        answers('404', '200', /^route-(?:healthz|readyz): HEAD /),
        ...ownPath('route-(?:healthz|readyz|metrics)', 'GET, HEAD'),
      ],
    },
    {
      title: 'No redirects to a normalised path',
      source: 'Our choice',
      text: 'A path with empty or dot components, or with an extra slash, is invalid and refused. A redirect would give one resource several URLs, which caches and proxy rules treat as different ones. Most clients also turn a redirected POST into a GET.',
      cases: [
        answers('301 (no error code)', '404 UNSUPPORTED', /\/$/),
        answers('301 (no error code)', '404 MANIFEST_UNKNOWN', /manifests\/v1%2F$/),
        answers('301', '404 UNSUPPORTED', /^paths: /),
        answers('301', '400 NAME_INVALID', /^names: /),
        answers('301', '400 DENIED NAME_INVALID', /^names-pushed: POST \/v2\/diff\/\/a/),
      ],
    },
    {
      title: 'No page at the root yet',
      source: 'Our choice',
      text: 'Distribution answers GET of `/` with an empty 200, for health checks of load balancers. Lading has `/healthz` for them.',
      cases: [answers('200', '404 UNSUPPORTED', /^paths: GET \/$/)],
    },
  ],
}
