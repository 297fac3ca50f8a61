import { nothing } from '../compare.ts'
import type { Chapter } from '../reason.ts'
import { answers, header } from '../reason.ts'

export const manifests: Chapter = {
  title: 'Pushing manifests',
  reasons: [
    {
      title: 'Without `Content-Type`, or without `mediaType`',
      source: 'distribution-spec, pushing manifests',
      text: '"Clients SHOULD set the Content-Type header" and "All manifests SHOULD include a mediaType field": either of them gives the type, and if both are missing, Lading infers the type from the members of the document. Distribution requires the header, and `mediaType` in Docker manifests.',
      cases: [answers('400 MANIFEST_INVALID', '201', /^manifest-content-type: PUT /)],
    },
    {
      title: 'Documents that are not manifests are client errors',
      source: 'RFC 9110, 15.6',
      text: '5xx means that "the server is aware that it has erred". Distribution answers 500 to documents with unexpected members.',
      cases: [
        answers(
          '500 UNKNOWN',
          '400 MANIFEST_INVALID',
          /^manifest-documents: PUT .*(?:JSON null|an empty object)$/,
        ),
        answers(
          '500 UNKNOWN',
          '400 MANIFEST_INVALID',
          /^manifest-documents: PUT .*schemaVersion (?:1|missing)$/,
        ),
        answers(
          '500 UNKNOWN',
          '400 MANIFEST_INVALID',
          /^manifest-historic: PUT .*schema 1 as an OCI manifest$/,
        ),
        answers(
          '500 UNKNOWN UNKNOWN MANIFEST_BLOB_UNKNOWN',
          '400 MANIFEST_INVALID',
          /a layer with a malformed digest$/,
        ),
      ],
    },
    {
      title: 'JSON as the image-spec requires it',
      source: 'image-spec, considerations, JSON',
      text: '"All JSON content MUST follow the I-JSON limitations in RFC 7493: The encoding MUST be UTF-8 … Objects MUST NOT contain duplicate names". A member that occurs in two spellings of upper and lower case is refused for the same reason: some parsers, including Go\'s, read `Layers` as `layers`, so two clients would see two images.',
      cases: [
        answers('201', '400 MANIFEST_INVALID', /^manifest-documents: PUT .*not UTF-8$/),
        answers('201', '400 MANIFEST_INVALID', /^manifest-documents: PUT .*a member (?:twice|in two cases)$/),
      ],
    },
    {
      title: 'Documents that match two types',
      source: 'CVE-2021-41190',
      text: 'A document that looks like two types of manifest is refused, so that two clients cannot read it as two different images. Distribution refuses `manifests` beside `layers`, but accepts `fsLayers`.',
      cases: [answers('201', '400 MANIFEST_INVALID', /^manifest-documents: PUT .*layers and fsLayers$/)],
    },
    {
      title: 'Sizes in descriptors',
      source: 'image-spec, descriptors',
      text: '"If the length of the retrieved content does not match the specified length, the content SHOULD NOT be trusted": clients refuse to pull such content, so Lading refuses the push and names both sizes. The code is `SIZE_INVALID`, because containers/image interprets `MANIFEST_INVALID` as an unknown type of manifest and pushes the same sizes again in each other type.',
      cases: [answers('201', '400 SIZE_INVALID', /^manifest-documents: PUT .*a layer of another size$/)],
    },
    {
      title: 'Required members',
      source: 'image-spec, manifest and descriptor',
      text: '`schemaVersion`, `config` and `layers` are required by the schema of a manifest, `mediaType`, `digest` and `size` by that of a descriptor, and "The size MUST NOT be negative"; the same rules apply to the digest of `subject`. Lading refuses the document itself (`MANIFEST_INVALID`) instead of reporting a missing blob without a name.',
      cases: [
        answers('201', '400 MANIFEST_INVALID', /layers missing$/),
        answers('201', '400 MANIFEST_INVALID', /a layer of negative size$/),
        answers('201', '400 MANIFEST_INVALID', /a layer without a media type$/),
        answers('201', '400 MANIFEST_INVALID', /^manifest-subject: PUT .*\/broken$/),
        answers('400 DIGEST_INVALID MANIFEST_BLOB_UNKNOWN', '400 MANIFEST_INVALID', /config missing$/),
        answers(
          '400 DIGEST_INVALID MANIFEST_BLOB_UNKNOWN',
          '400 MANIFEST_INVALID',
          /a layer without a digest$/,
        ),
      ],
    },
    {
      title: 'Layers that live elsewhere',
      source: 'image-spec, non-distributable layers',
      text: '"Such non-distributable layers are typically downloaded directly from a distributor but never uploaded", and `urls` is optional in a descriptor. Distribution requires a URL that its configuration allows, by default none, and answers 500 to any other URL.',
      cases: [
        answers('500 UNKNOWN UNKNOWN MANIFEST_BLOB_UNKNOWN', '201', /foreign layer missing$/),
        answers('400 MANIFEST_BLOB_UNKNOWN', '201', /foreign layer without URLs$/),
      ],
    },
    {
      title: 'Indexes may be sparse',
      source: 'distribution-spec, push',
      text: '"A registry MAY reject a manifest uploaded to the manifest endpoint with descriptors in other fields that reference a manifest or blob that does not exist in the registry." To copy a single platform, a client needs the unchanged index with its digest. `references.children` makes the check strict.',
      cases: [
        answers('400 MANIFEST_BLOB_UNKNOWN', '201', /index, child missing$/),
        answers('400 MANIFEST_BLOB_UNKNOWN', '201', /index, a blob as child$/),
      ],
    },
    {
      title: 'Manifests by sha512',
      source: 'image-spec, digests',
      text: 'sha512 is a registered algorithm, which registries MAY implement. Distribution supports it for blobs, but not for manifests.',
      cases: [
        answers('400 DIGEST_INVALID', '201', /^manifest-digests: PUT .* — sha512$/),
        answers('404 MANIFEST_UNKNOWN', '200', /^manifest-digests: GET .*sha512:/),
      ],
    },
    {
      title: 'Tags in a push by digest',
      source: 'distribution-spec, pushing manifests',
      text: '"When pushing a manifest by digest, the registry MAY support the pushing of tags specified by addition of tag query parameters. If a registry supports this, it … MUST include an OCI-Tag response header". The parameter is valid only in pushes by digest, and only with valid tags; otherwise Lading answers 400. Distribution ignores the parameter.',
      cases: [
        header('oci-tag', nothing, 'one, two'),
        answers('404 NAME_UNKNOWN', '200', /^manifest-digests: GET .*after \?tag=$/),
        answers('201', '400 TAG_INVALID', /^manifest-digests: PUT .*\?tag=/),
      ],
    },
    {
      title: 'Invalid tags',
      source: 'distribution-spec, pulling manifests',
      text: '"`<tag-or-digest>` as a tag MUST be at most 128 characters in length and MUST match the following regular expression". A push that breaks the rule is a bad request, and the error says so; Distribution answers that the page does not exist.',
      cases: [answers('404 (no error code)', '400 TAG_INVALID', /^manifest-tags: PUT /)],
    },
    {
      title: 'The largest manifest',
      source: 'distribution-spec, pushing manifests',
      text: '"A registry that enforces this limit SHOULD respond to a request to push a manifest over this limit with a response code 413 Payload Too Large. Client and registry implementations SHOULD expect to be able to support manifest pushes of at least 4 megabytes." The limit is 10 MiB in Lading and 4 MiB in Distribution.',
      cases: [
        answers('400 MANIFEST_INVALID', '201', /^manifest-size: PUT .*5 MiB$/),
        answers('400 MANIFEST_INVALID', '413 SIZE_INVALID', /^manifest-size: PUT .*11 MiB$/),
      ],
    },
    {
      title: 'Conditional pushes and deletes of a tag',
      source: 'distribution-spec, referrers tag schema',
      text: '"Clients MAY use a conditional HTTP push for registries that support ETag conditions to avoid conflicts with other clients." Distribution ignores the conditions, and RFC 9110, 13.1.1, says that a server "MUST NOT perform the requested method if the condition evaluates to false".',
      cases: [
        answers('201', '412 DENIED', /^manifest-push-conditions: PUT /),
        answers('202', '412 DENIED', /^manifest-push-conditions: DELETE /),
      ],
    },
  ],
}
