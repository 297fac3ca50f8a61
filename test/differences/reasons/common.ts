import { nothing } from '../compare.ts'
import type { Chapter } from '../reason.ts'
import { answers, header } from '../reason.ts'
import { host } from '../send.ts'

const everyRequest = /./

export const common: Chapter = {
  title: 'On many replies',
  reasons: [
    {
      title: 'A request id',
      source: 'Our choice',
      text: 'The id connects a reply with its log lines. No specification forbids an additional header.',
      cases: [header('x-request-id', nothing, '<id>')],
    },
    {
      title: 'No guessing of content types',
      source: 'WHATWG Fetch, `X-Content-Type-Options`',
      text: 'Pushed content is untrusted: `nosniff` prevents browsers from interpreting it as a page or a script. Distribution sends the header only with plain-text errors.',
      cases: [header('x-content-type-options', nothing, 'nosniff')],
    },
    {
      title: 'The version header on every reply',
      source: 'Docker Registry HTTP API V2, API version check',
      text: 'Clients older than the OCI specification recognise a registry by `Docker-Distribution-API-Version`. Distribution omits it if its router or the HTTP library replies.',
      cases: [header('docker-distribution-api-version', nothing, 'registry/2.0')],
    },
    {
      title: 'Relative `Location`, one URL per upload session',
      source: 'distribution-spec, POST then PUT',
      text: '"Optionally, the location MAY be absolute (containing the protocol and/or hostname), or it MAY be relative (containing just the URL path)." A path is correct behind every proxy. If `http.publicUrl` is set, the location is absolute, for clients that need a complete URL. The state of a session is in the database, so its URL needs none; Distribution signs the state into a URL that changes with each chunk.',
      cases: [
        {
          aspect: 'location',
          theirs: /^http:/,
          ours: /^\/v2\/<repository>\/(?:blobs|manifests)\/<digest>$/,
          holds: (theirs, ours) => theirs === `http://${host}${ours}`,
        },
        {
          aspect: 'location',
          theirs: /\?_state=<state>$/,
          ours: /^\/v2\/<repository>\/blobs\/uploads\/<upload>$/,
          holds: (theirs, ours) => theirs === `http://${host}${ours}?_state=<state>`,
        },
      ],
    },
    {
      title: 'Every error has a JSON body with a code',
      source: 'distribution-spec, error codes',
      text: '"If the response body is in JSON format, it MUST have the following format", and clients show its message. Distribution replies in plain text, or without a body, if its router or the HTTP library refuses the request.',
      cases: [
        answers('400 (no error code)', '400 UNSUPPORTED', everyRequest),
        answers('404 (no error code)', '404 MANIFEST_UNKNOWN', everyRequest),
        answers('404 (no error code)', '404 UNSUPPORTED', everyRequest),
        answers('405 (no error code)', '405 UNSUPPORTED', everyRequest),
        answers('416 (no error code)', '416 RANGE_INVALID', everyRequest),
        header('content-type', 'text/plain; charset=utf-8', 'application/json'),
        header('content-length', nothing, '<length>'),
      ],
    },
    {
      title: 'Caches do not store errors',
      source: 'RFC 9110, 15.1',
      text: '404, 405, 414 and others "can be reused by a cache with heuristic expiration unless otherwise indicated": a cache must not answer 404 for content that has been pushed since. Distribution sends its cache lifetime of a year even with a 412.',
      cases: [
        header('cache-control', nothing, 'no-store'),
        header('cache-control', 'max-age=31536000', 'no-store', /^blob-conditions: .* If-Match/),
      ],
    },
  ],
}
