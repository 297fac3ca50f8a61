import { nothing } from '../compare.ts'
import type { Chapter } from '../reason.ts'
import { answers, header } from '../reason.ts'

const dockerList = /^accept: GET .*docker-list — Accept: \S+manifest\.v2\+json$/

export const pull: Chapter = {
  title: 'Pulling',
  reasons: [
    {
      title: 'Manifests are served as they were pushed, whatever `Accept` says',
      source: 'distribution-spec, pulling manifests',
      text: '"A GET request to an existing manifest URL MUST provide the expected manifest, with a response code that MUST be 200 OK." Distribution hides OCI manifests from clients whose `Accept` does not name their type, `*/*` included, and picks an image of its own choice out of a Docker manifest list, or fails to.',
      cases: [
        answers('404 MANIFEST_UNKNOWN', '200', /^accept: GET /),
        answers('404', '200', /^accept: HEAD /),
        answers('400 MANIFEST_INVALID', '200', /^accept: GET .*docker-list$/),
        answers('400', '200', /^accept: HEAD .*docker-list$/),
        { aspect: 'body', theirs: /manifest\.v2\+json/, ours: /manifest\.list\.v2\+json/, in: dockerList },
        { aspect: 'content-length', theirs: /^\d+$/, ours: /^\d+$/, in: dockerList },
        {
          aspect: 'content-type',
          theirs: /manifest\.v2\+json$/,
          ours: /manifest\.list\.v2\+json$/,
          in: dockerList,
        },
        header('docker-content-digest', '<digest>', '<digest>', dockerList),
        header('etag', '"<digest>"', '"<digest>"', dockerList),
      ],
    },
    {
      title: 'How long what was pulled may be kept',
      source: 'RFC 9111, 5.2.2',
      text: 'Content under a digest never changes (`immutable`, RFC 8246), a tag has to be asked for each time (`no-cache`), and nothing belongs into a cache that others share (`private`), since rights decide who may read it. Distribution says nothing for manifests, and lets shared caches keep blobs.',
      cases: [
        header('cache-control', nothing, 'private, no-cache'),
        header('cache-control', nothing, 'private, max-age=31536000, immutable'),
        header('cache-control', 'max-age=31536000', 'private, max-age=31536000, immutable'),
      ],
    },
    {
      title: 'Blobs are downloads, never pages',
      source: 'Our choice',
      text: 'Anyone who may push could put a page on the origin of the registry. `Content-Disposition` and `Content-Security-Policy` take its power from it; clients of registries do not look at them.',
      cases: [
        header('content-disposition', nothing, 'attachment'),
        header('content-security-policy', nothing, "default-src 'none'; sandbox"),
      ],
    },
    {
      title: 'What a 304 says',
      source: 'RFC 9110, 15.4.5',
      text: '"The server generating a 304 response MUST generate any of the following header fields that would have been sent in a 200 (OK) response to the same request": among them `ETag`. Distribution leaves it out for manifests. The digest comes along for clients that look for it in every answer.',
      cases: [
        header('etag', nothing, '"<digest>"', /If-None-Match/),
        header('docker-content-digest', nothing, '<digest>', /If-None-Match/),
      ],
    },
    {
      title: '`If-None-Match` in each of its forms',
      source: 'RFC 9110, 13.1.2',
      text: 'Lists, weak tags and `*` match: "A recipient MUST use the weak comparison function when comparing entity tags for If-None-Match". Distribution compares the whole header of a manifest with the digest. Tags without quotes are taken by both for manifests, and here for blobs, too.',
      cases: [answers('200', '304', /If-None-Match: /)],
    },
    {
      title: '`If-Match` on reads',
      source: 'RFC 9110, 13.2.1',
      text: '"a recipient cache or origin server MUST evaluate received request preconditions after it has successfully performed its normal request checks". Distribution does not for manifests; for blobs it does, and then breaks off, since it has announced the length of the blob. Tags without quotes are taken here as with `If-None-Match`: a digest cannot be mistaken for another.',
      cases: [
        answers('200', '412 DENIED', /^manifest-conditions: GET .*If-Match/),
        answers('412 (cut off)', '412 DENIED', /^blob-conditions: GET .*If-Match/),
        answers('412 (cut off)', '200', /^blob-conditions: GET .*If-Match: sha256:/),
        header(
          'content-type',
          'application/octet-stream',
          'application/json',
          /^blob-conditions: .*If-Match/,
        ),
        header('docker-content-digest', '<digest>', nothing, /^blob-conditions: .*If-Match/),
        header('etag', '"<digest>"', nothing, /^blob-conditions: .*If-Match/),
      ],
    },
    {
      title: '`Range` that is none, or in other units',
      source: 'RFC 9110, 14.2',
      text: '"An origin server MUST ignore a Range header field that contains a range unit it does not understand", and may ignore an invalid one; names of units know no case (14.1). Distribution answers 416.',
      cases: [
        answers('416 (no error code)', '200', /^blob-ranges: GET /),
        answers('416 (no error code)', '206', /^blob-ranges: GET .*Range: Bytes=0-9/),
      ],
    },
    {
      title: '`Range` with HEAD',
      source: 'RFC 9110, 14.2',
      text: '"A server MUST ignore a Range header field received with a request method that is unrecognized or for which range handling is not defined. For this specification, GET is the only method for which range handling is defined."',
      cases: [answers('206', '200', /^blob-ranges: HEAD /), answers('416', '200', /^blob-ranges: HEAD /)],
    },
    {
      title: 'Suffixes of nothing',
      source: 'RFC 9110, 14.1.2',
      text: 'A suffix selects something only if its length is not zero: `bytes=-0` is 416, Distribution answers 206 with no byte. A part of an empty blob cannot be written as `Content-Range`; it is answered whole.',
      cases: [
        answers('206', '416 RANGE_INVALID', /^blob-ranges: GET .*Range: bytes=-0/),
        answers('206', '200', /^blob-ranges: GET .*empty blob, Range: bytes=-1/),
      ],
    },
    {
      title: 'What a 416 says',
      source: 'RFC 9110, 15.5.17',
      text: 'A 416 "SHOULD generate a Content-Range header field specifying the current length of the selected representation", also for `bytes=500-0`. It carries nothing of the blob, so neither its digest nor how long to keep it.',
      cases: [
        header('content-range', nothing, 'bytes */2000', /Range: bytes=500-0/),
        header('docker-content-digest', '<digest>', nothing, /^blob-ranges: GET /),
      ],
    },
    {
      title: 'The form of several ranges',
      source: 'RFC 9110, 5.3',
      text: '"The order in which field lines with differing field names are received in a section is not significant": a part names its type before its range here. Boundaries have other lengths.',
      cases: [
        {
          aspect: 'body',
          theirs: /^--<boundary>/,
          ours: /^--<boundary>/,
          in: /Range: bytes=0-9,20-29/,
          holds: sameParts,
        },
        { aspect: 'content-length', theirs: /^\d+$/, ours: /^\d+$/, in: /Range: bytes=0-9,20-29/ },
      ],
    },
    {
      title: 'References that cannot be one',
      source: 'distribution-spec, pulling manifests',
      text: '"If the manifest is not found in the repository, the response code MUST be 404 Not Found." What can be no tag is one that is not there, a broken escape included. A text with a colon is a malformed digest: 400 with `DIGEST_INVALID`. Well-formed digests of other algorithms name what is not here: 404. Distribution has it the other way round, since its router knows forms of digests and its handlers know algorithms.',
      cases: [
        answers('404 (no error code)', '400 DIGEST_INVALID', /^references: GET /),
        answers('400 DIGEST_INVALID', '404 BLOB_UNKNOWN', /^references: GET /),
        answers('400 DIGEST_INVALID', '404 MANIFEST_UNKNOWN', /^references: GET /),
        answers('400 (no error code)', '404 MANIFEST_UNKNOWN', /^references: GET .*v%zz$/),
      ],
    },
  ],
}

function sameParts(theirs: string, ours: string): boolean {
  const linesOf = (body: string) => body.split('\r\n').toSorted().join('\n')
  return linesOf(theirs) === linesOf(ours)
}
