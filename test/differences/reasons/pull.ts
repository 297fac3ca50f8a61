import { nothing } from '../compare.ts'
import type { Chapter } from '../reason.ts'
import { answers, header } from '../reason.ts'

const dockerList = /^accept: GET .*docker-list — Accept: \S+manifest\.v2\+json$/

export const pull: Chapter = {
  title: 'Pulling',
  reasons: [
    {
      title: 'Manifests are served as pushed, whatever `Accept` says',
      source: 'distribution-spec, pulling manifests',
      text: '"A GET request to an existing manifest URL MUST provide the expected manifest, with a response code that MUST be 200 OK." Distribution hides OCI manifests from clients whose `Accept` does not name their type, even for `*/*`. If the manifest is a Docker manifest list, it returns an image of its own choice to such a client, or an error.',
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
      title: 'Cache lifetime of pulled content',
      source: 'RFC 9111, 5.2.2',
      text: "Content under a digest never changes (`immutable`, RFC 8246). A tag must be revalidated each time (`no-cache`). Shared caches must not store either (`private`), because reading depends on the caller's rights. Distribution sends no such header for manifests, and lets shared caches store blobs.",
      cases: [
        header('cache-control', nothing, 'private, no-cache'),
        header('cache-control', nothing, 'private, max-age=31536000, immutable'),
        header('cache-control', 'max-age=31536000', 'private, max-age=31536000, immutable'),
      ],
    },
    {
      title: 'Blobs are downloads, not pages',
      source: 'Our choice',
      text: 'Anyone who may push could place a page on the origin of the registry. `Content-Disposition` and `Content-Security-Policy` make such a page harmless. Registry clients ignore these headers.',
      cases: [
        header('content-disposition', nothing, 'attachment'),
        header('content-security-policy', nothing, "default-src 'none'; sandbox"),
      ],
    },
    {
      title: 'Headers of a 304',
      source: 'RFC 9110, 15.4.5',
      text: '"The server generating a 304 response MUST generate any of the following header fields that would have been sent in a 200 (OK) response to the same request": among them `ETag`. Distribution omits it for manifests. Lading also sends the digest, for clients that expect it in every reply.',
      cases: [
        header('etag', nothing, '"<digest>"', /If-None-Match/),
        header('docker-content-digest', nothing, '<digest>', /If-None-Match/),
      ],
    },
    {
      title: 'All forms of `If-None-Match`',
      source: 'RFC 9110, 13.1.2',
      text: 'Lists, weak tags and `*` match: "A recipient MUST use the weak comparison function when comparing entity tags for If-None-Match". For manifests, Distribution compares the whole header with the digest. Both accept entity tags without quotes for manifests; Lading accepts them for blobs too.',
      cases: [answers('200', '304', /If-None-Match: /)],
    },
    {
      title: '`If-Match` on reads',
      source: 'RFC 9110, 13.2.1',
      text: '"a recipient cache or origin server MUST evaluate received request preconditions after it has successfully performed its normal request checks". Distribution does not do so for manifests. For blobs it does, but then aborts the reply, because it has announced the length of the blob. Lading accepts entity tags without quotes, as in `If-None-Match`, because a digest is unambiguous.',
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
      title: 'Invalid `Range`, or other units',
      source: 'RFC 9110, 14.2',
      text: '"An origin server MUST ignore a Range header field that contains a range unit it does not understand", and may ignore an invalid one. The names of units are case-insensitive (14.1). Distribution answers 416.',
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
      title: 'Empty suffixes',
      source: 'RFC 9110, 14.1.2',
      text: 'A suffix is satisfiable only if its length is not zero: Lading answers `bytes=-0` with 416, Distribution with 206 and no bytes. `Content-Range` cannot express a part of an empty blob, so Lading serves the whole blob.',
      cases: [
        answers('206', '416 RANGE_INVALID', /^blob-ranges: GET .*Range: bytes=-0/),
        answers('206', '200', /^blob-ranges: GET .*empty blob, Range: bytes=-1/),
      ],
    },
    {
      title: 'Headers of a 416',
      source: 'RFC 9110, 15.5.17',
      text: 'A 416 "SHOULD generate a Content-Range header field specifying the current length of the selected representation", also for `bytes=500-0`. A 416 contains nothing of the blob, so it has neither the digest nor a cache lifetime.',
      cases: [
        header('content-range', nothing, 'bytes */2000', /Range: bytes=500-0/),
        header('docker-content-digest', '<digest>', nothing, /^blob-ranges: GET /),
      ],
    },
    {
      title: 'The form of several ranges',
      source: 'RFC 9110, 5.3',
      text: '"The order in which field lines with differing field names are received in a section is not significant": in Lading, a part has its type before its range. The boundaries have different lengths.',
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
      title: 'Invalid references',
      source: 'distribution-spec, pulling manifests',
      text: '"If the manifest is not found in the repository, the response code MUST be 404 Not Found." An invalid tag, including one with a broken escape, counts as a tag that does not exist. A text with a colon is a malformed digest: 400 with `DIGEST_INVALID`. A well-formed digest of another algorithm names content that the registry does not have: 404. Distribution does the opposite, because its router checks the form of digests and its handlers check the algorithm.',
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
