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
      text: '"All general-purpose servers MUST support the methods GET and HEAD. All other methods are OPTIONAL." The 405 names the methods in `Allow`, as an answer to OPTIONS would; and a preflight that fails keeps scripts of other origins out.',
      cases: [
        answers('200', '405 UNSUPPORTED', /: OPTIONS \//),
        answers('200', '405 UNSUPPORTED', /: OPTIONS <session>/),
        answers('200', '404 UNSUPPORTED', /^paths: OPTIONS \*$/),
      ],
    },
    {
      title: '`/v2/` is for GET and HEAD',
      source: 'RFC 9110, 15.5.6',
      text: 'end-1 knows GET. For other methods 405 says that the "method received in the request-line is known by the origin server but not supported by the target resource"; Distribution answers 200 to all of them.',
      cases: [answers('200', '405 UNSUPPORTED', /^route-v-slash: (?:PROPFIND|POST|PATCH|DELETE|PUT) /)],
    },
    {
      title: '`/v2` without the slash',
      source: 'Our choice',
      text: 'Clients that forget the slash get the answer at once. A redirect of other methods would lead nowhere either.',
      cases: [
        answers('301 (no error code)', '200', /^route-v: GET /),
        answers('301', '200', /^route-v: HEAD /),
        answers('301', '405 UNSUPPORTED', /^route-v: /),
      ],
    },
    {
      title: 'HEAD wherever there is GET',
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
      title: 'What starts an upload, and what belongs to a session',
      source: 'distribution-spec, endpoints',
      text: 'Sessions start by POST alone (end-4a), and POST is no method of a session (end-5, end-6, end-13, end-14): 405 with `Allow` (RFC 9110, 15.5.6). Distribution takes both paths for one endpoint: without an id it looks for a session of no name, and a POST to a session starts another.',
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
      title: '`blobs/uploads` without the slash',
      source: 'Our choice',
      text: "end-4a has the slash; clients that forget it get their upload at once. Most clients turn a POST into a GET when they follow a 301, so that Distribution's redirect starts none.",
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
      title: 'The API of extensions',
      source: 'distribution-spec, extensions',
      text: '`_oci/ext/discover` lists the extensions of a registry, here none. Distribution does not have the endpoint.',
      cases: [
        answers('404 (no error code)', '200', /^route-v-(?:repository-)?oci-ext-discover: GET /),
        answers('404', '200', /^route-v-(?:repository-)?oci-ext-discover: HEAD /),
        ...ownPath('route-v-(?:repository-)?oci-ext-discover', 'GET, HEAD'),
      ],
    },
    {
      title: 'The token endpoint is in the registry',
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
      text: 'Probes need no second port. Distribution has both on a debug port that is off by default. `/metrics` without a token configured does not show itself to GET.',
      cases: [
        answers('404 (no error code)', '200', /^route-(?:healthz|readyz): GET /),
        answers('404', '200', /^route-(?:healthz|readyz): HEAD /),
        ...ownPath('route-(?:healthz|readyz|metrics)', 'GET, HEAD'),
      ],
    },
    {
      title: 'No redirects to a tidier path',
      source: 'Our choice',
      text: 'A path with empty or dot components, or with a slash too many, names nothing, and is refused where it is. A redirect would give one thing many names, which caches and the rules of proxies take for different ones, and most clients turn a redirected POST into a GET.',
      cases: [
        answers('301 (no error code)', '404 UNSUPPORTED', /\/$/),
        answers('301 (no error code)', '404 MANIFEST_UNKNOWN', /manifests\/v1%2F$/),
        answers('301', '404 UNSUPPORTED', /^paths: /),
        answers('301', '400 NAME_INVALID', /^names: /),
        answers('301', '400 DENIED NAME_INVALID', /^names-pushed: POST \/v2\/diff\/\/a/),
      ],
    },
    {
      title: 'Nothing at the root yet',
      source: 'Our choice',
      text: 'Distribution answers an empty 200 to GET of `/`, for health checks of load balancers; Lading has `/healthz` for them, which says something.',
      cases: [answers('200', '404 UNSUPPORTED', /^paths: GET \/$/)],
    },
  ],
}
