import { nothing } from '../compare.ts'
import type { Chapter } from '../reason.ts'
import { answers, header } from '../reason.ts'

const referrersRoute = /^route-v-repository-referrers-digest: (?:OPTIONS|PROPFIND|POST|PATCH|DELETE|PUT) /

export const lists: Chapter = {
  title: 'Lists and deletes',
  reasons: [
    {
      title: 'The referrers API',
      source: 'distribution-spec, listing referrers',
      text: '"If the registry supports the referrers API, the registry MUST NOT return a 404 Not Found to a referrers API requests. If the request is invalid, such as a `<digest>` with an invalid syntax, a 400 Bad Request MUST be returned." `OCI-Subject` confirms the push of a referrer. Distribution 3.1.2 does not have this API.',
      cases: [
        answers('404 (no error code)', '200', /: GET .*\/referrers\//),
        answers('404', '200', /: HEAD .*\/referrers\//),
        answers('404 (no error code)', '400 DIGEST_INVALID', /^manifest-subject: GET .*\/referrers\//),
        answers('404 (no error code)', '405 UNSUPPORTED', referrersRoute),
        header('allow', nothing, 'GET, HEAD', referrersRoute),
        header('oci-subject', nothing, '<digest>'),
      ],
    },
    {
      title: 'A repository without tags',
      source: 'distribution-spec, listing tags',
      text: '"Assuming a repository is found, this request MUST return a 200 OK response code. The list of tags MAY be empty if there are no tags on the repository." In Lading, a repository exists once it has a blob; in Distribution, once it has a tag.',
      cases: [
        answers('404 NAME_UNKNOWN', '200', /^deletes-of-nothing: GET .*tags\/list — a blob and no manifest$/),
      ],
    },
    {
      title: 'The parameters of `Link`',
      source: 'distribution-spec, listing tags',
      text: '"the Link header MUST be set according to RFC 5988 with the Relation Type rel=next": the order of the parameters in its URL has no meaning. A page that ends with the last tag has no `Link`; Distribution sends a link to an empty page.',
      cases: [
        {
          aspect: 'link',
          theirs: /\?last=[^&]+&n=\d+>; rel="next"$/,
          ours: /\?n=\d+&last=[^&]+>; rel="next"$/,
          holds: (theirs, ours) => theirs === ours.replace(/\?(n=\d+)&(last=[^>]+)>/, '?$2&$1>'),
        },
        header('link', '</v2/<repository>/tags/list?last=d&n=2>; rel="next"', nothing),
      ],
    },
    {
      title: 'A page size above the maximum of the catalog',
      source: 'Our choice',
      text: 'The specification does not define the catalog. For tags, it lets a registry return fewer than `n` with a `Link`. So Lading reduces a large `n` to the longest page (1,000), as for tags; Distribution refuses it.',
      cases: [answers('400 PAGINATION_NUMBER_INVALID', '200', /^catalog: GET /)],
    },
    {
      title: 'Blobs in use cannot be deleted',
      source: 'distribution-spec, deleting blobs',
      text: '"Registries MAY implement deletion or they MAY disable it": deleting a blob that a manifest of the repository names is refused with 405, because the image could no longer be pulled. Distribution deletes it.',
      cases: [
        answers('202', '405 UNSUPPORTED', /^deletes: DELETE .*a layer in use$/),
        answers('202', '405 UNSUPPORTED', /^route-v-repository-blobs-digest: DELETE /),
        answers('404', '200', /^deletes: HEAD .*the layer in use$/),
      ],
    },
    {
      title: 'Deleting a blob by something other than a digest',
      source: 'distribution-spec, error codes',
      text: 'Blobs are named by digests. Anything else is `DIGEST_INVALID`, as with GET.',
      cases: [
        answers('404 (no error code)', '400 DIGEST_INVALID', /^deletes-of-nothing: DELETE .*blobs\/v1$/),
      ],
    },
  ],
}
