import { nothing } from '../compare.ts'
import type { Chapter } from '../reason.ts'
import { answers, header } from '../reason.ts'

export const names: Chapter = {
  title: 'Names and HTTP itself',
  reasons: [
    {
      title: 'Names that break the grammar',
      source: 'distribution-spec, pulling manifests',
      text: '"Throughout this document, `<name>` MUST match the following regular expression": what does not is `NAME_INVALID` with a message that names the component. Distribution says that there is no such page, or takes it: upper case in the first component.',
      cases: [
        answers('404 (no error code)', '400 NAME_INVALID', /^(?:names|paths): GET /),
        answers('404 NAME_UNKNOWN', '400 NAME_INVALID', /^names: GET \/v2\/Diff\/upper\//),
        answers('202', '400 DENIED NAME_INVALID', /^names-pushed: POST \/v2\/Diff\/upper\//),
      ],
    },
    {
      title: 'Names that are too long',
      source: 'distribution-spec, pulling manifests',
      text: '"Many clients impose a limit of 255 characters … registries should avoid values of `<name>` that would cause this limit to be exceeded." Lading takes 255. Distribution takes more, until its file system refuses with a 500.',
      cases: [
        answers('404 NAME_UNKNOWN', '400 NAME_INVALID', /^names: GET \/v2\/diff\/n…\(251\)\//),
        answers('202', '400 DENIED NAME_INVALID', /^names-pushed: POST \/v2\/diff\/n…\(251\)\//),
        answers('500 (no error code)', '400 NAME_INVALID', /^names: GET \/v2\/diff\/n…\(295\)\//),
      ],
    },
    {
      title: 'A repository has an owner',
      source: 'Our choice',
      text: 'Names are `<owner>/<image>`: the owner decides who may do what, so that a name of one component belongs to nobody. The message says how to write it. Docker begins an upload anew, for most of a minute, unless the first code of a refused POST is one that it takes for final: therefore `DENIED` before `NAME_INVALID`.',
      cases: [
        answers('202', '400 DENIED NAME_INVALID', /^names-one-component: POST /),
        answers(
          '400 MANIFEST_BLOB_UNKNOWN MANIFEST_BLOB_UNKNOWN',
          '400 NAME_INVALID',
          /^names-one-component: PUT /,
        ),
        answers('404 MANIFEST_UNKNOWN', '400 NAME_INVALID', /^names-one-component: /),
        answers('404 BLOB_UNKNOWN', '400 NAME_INVALID', /^names-one-component: /),
        answers('404 NAME_UNKNOWN', '400 NAME_INVALID', /^names-one-component: /),
        answers('404', '400', /^names-one-component: HEAD /),
        answers('405', '400', /^names-one-component: HEAD /),
      ],
    },
    {
      title: 'Owners that nobody can have',
      source: 'Our choice',
      text: '`api`, `v2` and a few others are first components of paths of this server: a repository below them could hide a page, or be hidden by one.',
      cases: [answers('404 NAME_UNKNOWN', '400 NAME_INVALID', /^names: GET \/v2\/(?:api|v2)\/a\//)],
    },
    {
      title: 'Credentials are looked at',
      source: 'RFC 9110, 15.5.2',
      text: '"If the request included authentication credentials, then the 401 response indicates that authorization has been refused for those credentials." Whoever sends some means to be somebody, and has to learn that they do not hold before the push, not from what it was allowed to do as nobody. Name and password both empty count as none. Distribution runs without authentication here and ignores them.',
      cases: [answers('200', '401 UNAUTHORIZED', /^credentials: GET \/v2\/ — Authorization: /)],
    },
    {
      title: 'Requests that two servers could read in two ways',
      source: 'RFC 9112, 5.2 and 6.3',
      text: 'Length and chunks at once "might indicate an attempt to perform request smuggling … and ought to be handled as an error", and a server that gets a folded header MUST either reject it or replace the fold. Both are refused.',
      cases: [
        answers('202', '400 UNSUPPORTED', /^wire: length and chunked at once$/),
        answers('200', '400 UNSUPPORTED', /^wire: a folded header$/),
      ],
    },
    {
      title: 'Methods that HTTP does not know, other versions',
      source: 'Our choice',
      text: 'RFC 9110 has 501 (SHOULD, 9.1) and 505 (MAY, 15.6.6) for them. The parser refuses what it does not know as it does garbage, with 400: 5xx says that the server has erred, and wakes whoever watches it, for bytes that only scanners send. Distribution takes an unknown method for GET of `/v2/`.',
      cases: [
        answers('200', '400 UNSUPPORTED', /^wire: (?:method in lower case|a method nobody knows)$/),
        answers('505 (no error code)', '400 UNSUPPORTED', /^wire: HTTP\/2\.0/),
      ],
    },
    {
      title: 'Limits of the request line and of headers',
      source: 'RFC 9110, 15.5.15, and RFC 6585, 5',
      text: 'A URL has 16 KiB and a head 32 KiB, more than any client needs; memory is promised to nobody unknown beyond that. The limits of Distribution are those of its HTTP library, 1 MiB.',
      cases: [
        answers('200', '414 UNSUPPORTED', /^wire: a URL/),
        answers('200', '431 UNSUPPORTED', /^wire: a header of/),
      ],
    },
    {
      title: 'What becomes of the connection is said',
      source: 'RFC 9112, 9.3',
      text: 'Persistence is the default of HTTP/1.1 and not of 1.0; Node writes out in either case what it will do, and how long an idle connection stays open (75 s).',
      cases: [
        header('connection', nothing, 'close', /^wire: HTTP\/1\.0$/),
        header('connection', nothing, 'keep-alive', /^wire: HTTP\/1\.1, connection stays open$/),
        header('keep-alive', nothing, 'timeout=75'),
      ],
    },
  ],
}
