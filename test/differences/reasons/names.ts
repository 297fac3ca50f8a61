import { nothing } from '../compare.ts'
import type { Chapter } from '../reason.ts'
import { answers, header } from '../reason.ts'

export const names: Chapter = {
  title: 'Names and HTTP itself',
  reasons: [
    {
      title: 'Names that break the grammar',
      source: 'distribution-spec, pulling manifests',
      text: '"Throughout this document, `<name>` MUST match the following regular expression": other names are `NAME_INVALID`, with a message that names the component. Distribution answers that the page does not exist, or accepts the name if the first component has upper-case letters.',
      cases: [
        answers('404 (no error code)', '400 NAME_INVALID', /^(?:names|paths): GET /),
        answers('404 NAME_UNKNOWN', '400 NAME_INVALID', /^names: GET \/v2\/Diff\/upper\//),
        answers('202', '400 DENIED NAME_INVALID', /^names-pushed: POST \/v2\/Diff\/upper\//),
      ],
    },
    {
      title: 'Names that are too long',
      source: 'distribution-spec, pulling manifests',
      text: '"Many clients impose a limit of 255 characters … registries should avoid values of `<name>` that would cause this limit to be exceeded." Lading accepts 255 characters. Distribution accepts more, until its file system refuses the name and it answers 500.',
      cases: [
        answers('404 NAME_UNKNOWN', '400 NAME_INVALID', /^names: GET \/v2\/diff\/n…\(251\)\//),
        answers('202', '400 DENIED NAME_INVALID', /^names-pushed: POST \/v2\/diff\/n…\(251\)\//),
        answers('500 (no error code)', '400 NAME_INVALID', /^names: GET \/v2\/diff\/n…\(295\)\//),
      ],
    },
    {
      title: 'A repository has an owner',
      source: 'Our choice',
      text: 'Names have the form `<owner>/<image>`: the owner determines who may do what, so a name of one component would belong to no owner. The message says how to write the name. Docker repeats a refused POST for most of a minute, unless the first code is one that it treats as final. For this reason `DENIED` comes before `NAME_INVALID`.',
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
      title: 'Reserved owner names',
      source: 'Our choice',
      text: "`api`, `v2` and a few other names are first components of the server's own paths: a repository under them could hide a page, or be hidden by one.",
      cases: [answers('404 NAME_UNKNOWN', '400 NAME_INVALID', /^names: GET \/v2\/(?:api|v2)\/a\//)],
    },
    {
      title: 'Credentials are checked',
      source: 'RFC 9110, 15.5.2',
      text: '"If the request included authentication credentials, then the 401 response indicates that authorization has been refused for those credentials." A client that sends credentials expects to be logged in, and must learn that they are invalid before the push. An empty name with an empty password counts as no credentials. Distribution runs without authentication here and ignores them.',
      cases: [answers('200', '401 UNAUTHORIZED', /^credentials: GET \/v2\/ — Authorization: /)],
    },
    {
      title: 'Ambiguous requests',
      source: 'RFC 9112, 5.2 and 6.3',
      text: 'A length together with chunked encoding "might indicate an attempt to perform request smuggling … and ought to be handled as an error", and a server that receives a folded header MUST either reject it or replace the fold. Lading refuses both.',
      cases: [
        answers('202', '400 UNSUPPORTED', /^wire: length and chunked at once$/),
        answers('200', '400 UNSUPPORTED', /^wire: a folded header$/),
      ],
    },
    {
      title: 'Unknown methods and other HTTP versions',
      source: 'Our choice',
      text: 'RFC 9110 defines 501 (SHOULD, 9.1) and 505 (MAY, 15.6.6) for them. The parser of Lading refuses them with 400, like any other invalid input: 5xx means that the server has erred, and would alert operators because of bytes that only scanners send. Distribution treats an unknown method as GET of `/v2/`.',
      cases: [
        answers('200', '400 UNSUPPORTED', /^wire: (?:method in lower case|a method nobody knows)$/),
        answers('505 (no error code)', '400 UNSUPPORTED', /^wire: HTTP\/2\.0/),
      ],
    },
    {
      title: 'Limits of the request line and of headers',
      source: 'RFC 9110, 15.5.15, and RFC 6585, 5',
      text: 'A URL may have 16 KiB and a head 32 KiB, more than any client needs. Lading does not allocate more memory for unauthenticated clients. The limits of Distribution are those of its HTTP library, 1 MiB.',
      cases: [
        answers('200', '414 UNSUPPORTED', /^wire: a URL/),
        answers('200', '431 UNSUPPORTED', /^wire: a header of/),
      ],
    },
    {
      title: 'Connection headers',
      source: 'RFC 9112, 9.3',
      text: 'Persistent connections are the default in HTTP/1.1 but not in 1.0. In both cases Node states whether the connection stays open, and how long it stays open when idle (75 s).',
      cases: [
        header('connection', nothing, 'close', /^wire: HTTP\/1\.0$/),
        header('connection', nothing, 'keep-alive', /^wire: HTTP\/1\.1, connection stays open$/),
        header('keep-alive', nothing, 'timeout=75'),
      ],
    },
  ],
}
