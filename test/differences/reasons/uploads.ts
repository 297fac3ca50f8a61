import { nothing } from '../compare.ts'
import type { Chapter } from '../reason.ts'
import { answers, header } from '../reason.ts'

export const uploads: Chapter = {
  title: 'Pushing blobs',
  reasons: [
    {
      title: 'A repeated closing PUT',
      source: 'Our choice',
      text: 'A client whose connection broke before the reply sends the PUT again. The session no longer exists, but the blob is in the repository, so Lading answers 201. A 404 makes clients report a failed push.',
      cases: [answers('404 BLOB_UPLOAD_UNKNOWN', '201', /^upload-stream: PUT .* — PUT twice$/)],
    },
    {
      title: 'A blob in a single POST',
      source: 'distribution-spec, single POST',
      text: '"Registries MAY support pushing blobs using a single POST request." Lading supports it (201), and refuses a digest that is invalid, not supported, or different from that of the content: "the registry SHOULD respond with a response code 400 Bad Request". Distribution starts a session instead (202).',
      cases: [
        answers('202', '201', /^upload-at-once: POST /),
        answers('202', '400 DIGEST_INVALID', /^upload-at-once: POST .*\?digest=/),
        answers('404 BLOB_UNKNOWN', '200', /^upload-at-once: GET .*after the POST$/),
      ],
    },
    {
      title: 'An announced algorithm',
      source: 'distribution-spec, pushing a blob in chunks',
      text: '`digest-algorithm` is "the algorithm the registry should use for the blob": Lading refuses an unsupported algorithm before the client sends any bytes. Distribution does not know the parameter.',
      cases: [answers('202', '400 DIGEST_INVALID', /^upload-at-once: POST .*\?digest-algorithm=/)],
    },
    {
      title: 'The digest that the client chose',
      source: 'distribution-spec, pulling blobs',
      text: 'A blob pushed and pulled by its sha512 digest has that digest in `Docker-Content-Digest`, `ETag` and `Location`; Distribution names it by sha256. "Most clients MAY ignore the value, but if it is used, the client MUST verify the value matches the returned response body", which is easier with the algorithm that the client chose.',
      cases: [
        header('docker-content-digest', '<digest>', '<digest>', /^upload-digests: .* — sha512$/),
        header('etag', '"<digest>"', '"<digest>"', /^upload-digests: GET .* — sha512$/),
        {
          aspect: 'location',
          theirs: /<digest>$/,
          ours: /<digest>$/,
          in: /^upload-digests: PUT .* — sha512$/,
          holds: (theirs, ours) => theirs.includes('sha256:') && ours.includes('sha512:'),
        },
      ],
    },
    {
      title: 'The offset after a chunk out of order',
      source: 'distribution-spec, pushing a blob in chunks',
      text: '"To get the current status after a 416 error, issue a GET request"; Lading sends `Range`, `Location` and `Docker-Upload-UUID` with the 416 itself, which saves the request.',
      cases: [
        header('range', nothing, '0-999', /: (?:PATCH|PUT) <session>/),
        header('location', nothing, '/v2/<repository>/blobs/uploads/<upload>', /: (?:PATCH|PUT) <session>/),
        header('docker-upload-uuid', nothing, '<upload>', /: (?:PATCH|PUT) <session>/),
      ],
    },
    {
      title: 'The first URL of a session stays valid',
      source: 'distribution-spec, pushing a blob in chunks',
      text: '"Each consecutive chunk upload SHOULD use the `<blob-push-location>` provided in the response to the previous chunk upload", but need not, and a cancellation uses "the URL obtained from the preceding POST or PATCH request". Distribution treats the state signed into an older URL as a chunk out of order, even for a cancellation.',
      cases: [
        answers('416 RANGE_INVALID', '202', /^upload-old-location: PATCH .*the next chunk/),
        answers('416 RANGE_INVALID', '204', /^upload-old-location: DELETE /),
      ],
    },
    {
      title: 'Invalid `Content-Range`',
      source: 'distribution-spec, pushing a blob in chunks',
      text: '"It MUST match the following regular expression: `^[0-9]+-[0-9]+$`". A value that does not match, or whose end is before its start, is an invalid request (400), not a server error (500) or a chunk out of order (416). An empty value does not count as a missing one.',
      cases: [
        answers('500 UNKNOWN', '400 BLOB_UPLOAD_INVALID', /^upload-content-range: PATCH /),
        answers('416 RANGE_INVALID', '400 BLOB_UPLOAD_INVALID', /Content-Range: 9-0$/),
        answers('202', '400 BLOB_UPLOAD_INVALID', /Content-Range: \(empty\)$/),
      ],
    },
    {
      title: 'The `Content-Type` of a chunk does not matter',
      source: 'Our choice',
      text: 'A chunk consists of bytes, whatever its type; clients send `application/json` and parameters. Distribution answers 500 to every type except `application/octet-stream` without parameters.',
      cases: [answers('500 UNKNOWN', '202', /^upload-content-type: PATCH /)],
    },
    {
      title: 'A digest that does not match ends the session',
      source: 'Our choice',
      text: 'The bytes differ from those that the client intended to send, and no further chunk can correct that. Lading removes the session and its bytes immediately. Distribution still answers 204 to the URL of the session.',
      cases: [answers('204', '404 BLOB_UPLOAD_UNKNOWN', /^upload-digests: GET .*after the PUT/)],
    },
    {
      title: 'The code for an unknown session',
      source: 'distribution-spec, error codes',
      text: '`BLOB_UPLOAD_UNKNOWN` is "blob upload unknown to registry". Distribution uses this code for GET, and `BLOB_UPLOAD_INVALID` for the other methods.',
      cases: [
        answers('404 BLOB_UPLOAD_INVALID', '404 BLOB_UPLOAD_UNKNOWN', /^upload-endings: .*unknown session$/),
      ],
    },
    {
      title: 'Mounting without `from`',
      source: 'distribution-spec, mounting a blob from another repository',
      text: '"The registry MAY treat the from parameter as optional, and it MAY cross-mount the blob if it can be found." Lading searches repositories that the caller may pull from.',
      cases: [
        answers('202', '201', /^mounts: POST .*from is empty$/),
        answers('202', '201', /^mount-without-from: POST /),
        answers('404', '200', /^mount-without-from: HEAD /),
      ],
    },
    {
      title: 'Mounting by an invalid digest',
      source: 'distribution-spec, pushing blobs',
      text: '"if the client provided digest is invalid or uses an unsupported algorithm, the registry SHOULD respond with a response code 400 Bad Request". Distribution starts an upload that can never complete with that digest.',
      cases: [answers('202', '400 DIGEST_INVALID', /^mounts: POST .*\?mount=/)],
    },
  ],
}
