/** PUT of manifests: media types, invalid documents, references, digests, tags. */
import { aManifest, anImageIndex, mediaType } from '../../support/content/manifests.ts'
import type { TestManifest } from '../../support/content/manifests.ts'
import { aBlob, digestOf } from '../../support/content/random.ts'
import { absentDigest, acceptAll, contentOf, imageOf } from '../content.ts'
import type { AnyStep, Script, Step } from '../step.ts'
import { pushedBlob, pushedImage, pushedManifest, script, withEach } from '../step.ts'

const artifactManifest = 'application/vnd.oci.artifact.manifest.v1+json'
const schema1 = 'application/vnd.docker.distribution.manifest.v1+json'
const schema1Signed = 'application/vnd.docker.distribution.manifest.v1+prettyjws'

function put(
  repository: string,
  note: string,
  sent: { type?: string; body: Uint8Array | string; reference?: string },
): Step {
  const { type = mediaType.ociManifest, body, reference = 'v1' } = sent
  return {
    method: 'PUT',
    target: `${repository}/manifests/${reference}`,
    headers: { 'Content-Type': type },
    body,
    note,
  }
}

/** Returns a valid image with only the given members changed; `goodBlobs` pushes its blobs. */
function variant(word: string, change: Readonly<Record<string, unknown>>): Buffer {
  return Buffer.from(JSON.stringify({ ...imageOf(word).json, ...change }))
}

function goodBlobs(repository: string, word: string): Step[] {
  return imageOf(word).blobs.flatMap((blob) => pushedBlob(repository, blob))
}

const types = script('manifest-content-type', (repository) => {
  const word = 'manifest-content-type'
  const { bytes } = imageOf(word)
  const bare = variant(word, { mediaType: undefined })
  const values = [
    mediaType.ociManifest,
    `${mediaType.ociManifest}; charset=utf-8`,
    mediaType.ociManifest.toUpperCase(),
    mediaType.dockerManifest,
    mediaType.ociIndex,
    'application/json',
    'application/octet-stream',
    'text/plain',
    'no type',
    '',
  ]
  const target = `${repository}/manifests/v1`
  return [
    ...goodBlobs(repository, word),
    { method: 'PUT', target, body: bytes, note: 'no Content-Type' },
    { method: 'PUT', target, body: bare, note: 'no Content-Type and no mediaType' },
    put(repository, 'no mediaType', { body: bare }),
    { method: 'GET', target, headers: acceptAll, note: 'pushed without mediaType' },
    put(repository, 'docker type for a document without mediaType', {
      type: mediaType.dockerManifest,
      body: bare,
    }),
    ...withEach({ method: 'PUT', target, body: bytes }, 'Content-Type', values),
    { method: 'GET', target, headers: acceptAll, note: 'after all these' },
  ]
})

const historic = script('manifest-historic', (repository) => {
  const old = JSON.stringify({
    schemaVersion: 1,
    name: 'diff/manifest-historic',
    tag: 'v1',
    architecture: 'amd64',
    fsLayers: [],
    history: [],
  })
  const artifact = JSON.stringify({
    mediaType: artifactManifest,
    artifactType: 'application/vnd.example',
    blobs: [],
  })
  const unknown = JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.example.manifest+json' })
  return [
    put(repository, 'schema 1', { type: schema1, body: old }),
    put(repository, 'schema 1, signed', { type: schema1Signed, body: old }),
    put(repository, 'schema 1 as an OCI manifest', { body: old }),
    put(repository, 'artifact manifest', { type: artifactManifest, body: artifact }),
    put(repository, 'a media type nobody knows', {
      type: 'application/vnd.example.manifest+json',
      body: unknown,
    }),
  ]
})

const documents = script('manifest-documents', (repository) => {
  const word = 'manifest-documents'
  const { json, bytes } = imageOf(word)
  const text = bytes.toString()
  const layer = { mediaType: mediaType.ociLayer, digest: contentOf(word).digest, size: 2000 }
  const cases: readonly (readonly [note: string, body: Uint8Array | string])[] = [
    ['empty body', ''],
    ['not JSON', 'this is no JSON'],
    ['JSON null', 'null'],
    ['a JSON array', '[]'],
    ['an empty object', '{}'],
    ['cut off', text.slice(0, -5)],
    ['spaces at the end', `${text}  \n`],
    ['two documents', `${text}${text}`],
    ['a byte order mark', `\uFEFF${text}`],
    [
      'bytes that are not UTF-8',
      Buffer.concat([bytes.subarray(0, -1), Buffer.from(',"x":"'), Buffer.from([0xff]), Buffer.from('"}')]),
    ],
    ['a member twice', text.replace('{', '{"schemaVersion":2,')],
    ['a member in two cases', text.replace('{', '{"Layers":[],')],
    ['schemaVersion 1', variant(word, { schemaVersion: 1 })],
    ['schemaVersion missing', variant(word, { schemaVersion: undefined })],
    ['schemaVersion is text', variant(word, { schemaVersion: '2' })],
    ['mediaType of an index inside', variant(word, { mediaType: mediaType.ociIndex })],
    ['layers and manifests', variant(word, { manifests: [] })],
    ['layers and fsLayers', variant(word, { fsLayers: [] })],
    ['config missing', variant(word, { config: undefined })],
    ['layers missing', variant(word, { layers: undefined })],
    ['no layers', variant(word, { layers: [] })],
    ['layers is no list', variant(word, { layers: {} })],
    ['a layer with a malformed digest', variant(word, { layers: [{ ...layer, digest: 'sha256:short' }] })],
    ['a layer without a digest', variant(word, { layers: [{ ...layer, digest: undefined }] })],
    ['a layer of another size', variant(word, { layers: [{ ...layer, size: 1999 }] })],
    ['a layer of negative size', variant(word, { layers: [{ ...layer, size: -1 }] })],
    ['a layer without a media type', variant(word, { layers: [{ ...layer, mediaType: undefined }] })],
    [
      'a layer type nobody knows',
      variant(word, { layers: [{ ...layer, mediaType: 'application/x-unknown' }] }),
    ],
    ['members nobody knows', variant(word, { 'org.example': { a: [1, 2.5, null] } })],
    ['annotations that are no text', variant(word, { annotations: { a: 1 } })],
    ['the same layer twice', variant(word, { layers: [layer, layer] })],
  ]
  return [
    ...goodBlobs(repository, word),
    put(repository, 'good', { body: JSON.stringify(json) }),
    ...cases.map(([note, body]) => put(repository, note, { body })),
  ]
})

const references = script('manifest-references', (repository) => {
  const word = 'manifest-references'
  const layer = { mediaType: mediaType.ociLayer, digest: absentDigest, size: 22 }
  const foreign = {
    ...layer,
    mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
    urls: ['https://example.com/layer'],
  }
  const child = { mediaType: mediaType.ociManifest, digest: absentDigest, size: 22 }
  const index = (manifests: readonly unknown[]) =>
    JSON.stringify({ schemaVersion: 2, mediaType: mediaType.ociIndex, manifests })
  const sha512Layer = { ...layer, digest: digestOf(Buffer.from('absent'), 'sha512') }
  return [
    put(repository, 'nothing pushed before', { body: imageOf(word).bytes }),
    ...goodBlobs(repository, word),
    put(repository, 'layer missing', { body: variant(word, { layers: [layer] }) }),
    put(repository, 'two layers missing', { body: variant(word, { layers: [layer, sha512Layer] }) }),
    put(repository, 'config missing in the repository', {
      body: variant(word, { config: { ...layer, mediaType: mediaType.ociConfig } }),
    }),
    put(repository, 'foreign layer missing', {
      body: variant(word, { layers: [foreign] }),
      reference: 'foreign',
    }),
    put(repository, 'foreign layer without URLs', {
      body: variant(word, { layers: [{ ...foreign, urls: undefined }] }),
    }),
    put(repository, 'index, child missing', { type: mediaType.ociIndex, body: index([child]) }),
    put(repository, 'index, no children', { type: mediaType.ociIndex, body: index([]) }),
    put(repository, 'index, a blob as child', {
      type: mediaType.ociIndex,
      body: index([{ mediaType: 'application/octet-stream', digest: contentOf(word).digest, size: 2000 }]),
    }),
    pushedManifest(repository, imageOf(word)),
    put(repository, 'index of an index', {
      type: mediaType.ociIndex,
      body: index([imageOf(word).descriptor, anImageIndex().descriptor]),
    }),
  ]
})

const digests = script('manifest-digests', (repository) => {
  const word = 'manifest-digests'
  const { bytes, digest } = imageOf(word)
  const sha512 = digestOf(bytes, 'sha512')
  const by = (note: string, reference: string, body: Uint8Array = bytes) =>
    put(repository, note, { reference, body })
  return [
    ...goodBlobs(repository, word),
    by('its digest', digest),
    by('its digest again', digest),
    by('digest of other content', absentDigest),
    by('spaces added', digest, Buffer.concat([bytes, Buffer.from('  ')])),
    by('malformed digest', 'sha256:short'),
    by('unknown algorithm', `md5:${'0'.repeat(32)}`),
    by('encoded colon', digest.replace(':', '%3A')),
    by('sha512', sha512),
    { method: 'GET', target: `${repository}/manifests/${sha512}`, headers: acceptAll },
    by('with tags', `${digest}?tag=one&tag=two`),
    { method: 'GET', target: `${repository}/tags/list`, note: 'after ?tag=' },
    by('tag and ?tag=', `v1?tag=other`),
    by('invalid ?tag=', `${digest}?tag=.dot`),
  ]
})

const tagNames = script('manifest-tags', (repository) => {
  const word = 'manifest-tags'
  const { bytes } = imageOf(word)
  const names = [
    'latest',
    'Upper',
    '_under',
    '1.0-rc_1',
    'a'.repeat(128),
    'a'.repeat(129),
    '.dot',
    '-dash',
    'a%20b',
    'a+b',
    'a%2Fb',
    '%C3%BC',
    'a@b',
  ]
  return [
    ...goodBlobs(repository, word),
    ...names.map((reference) => put(repository, '', { reference, body: bytes })),
    { method: 'GET', target: `${repository}/tags/list`, note: 'after all these' },
  ]
})

const sizes = script('manifest-size', (repository) => {
  const word = 'manifest-size'
  const padded = (size: number) => {
    const text = variant(word, { annotations: { padding: '' } }).toString()
    return text.replace('"padding":"', `"padding":"${'x'.repeat(size - text.length)}`)
  }
  const mebibyte = 1024 * 1024
  return [
    ...goodBlobs(repository, word),
    put(repository, '4 MiB less one byte', { body: padded(4 * mebibyte - 1) }),
    put(repository, '5 MiB', { body: padded(5 * mebibyte) }),
    put(repository, '11 MiB', { body: padded(11 * mebibyte) }),
    { ...put(repository, '2 KiB, streamed', { body: padded(2048) }), chunked: true },
  ]
})

function conditionSteps(
  repository: string,
  { first, second }: { first: TestManifest; second: TestManifest },
): AnyStep[] {
  const target = `${repository}/manifests/v1`
  const guarded = (manifest: TestManifest, header: string, value: string) =>
    withEach(pushedManifest(repository, manifest, 'v1'), header, [value])
  return [
    ...guarded(first, 'If-Match', `"${first.digest}"`),
    ...guarded(first, 'If-None-Match', '*'),
    pushedManifest(repository, first, 'v1'),
    ...guarded(second, 'If-None-Match', '*'),
    ...guarded(second, 'If-Match', `"${second.digest}"`),
    ...guarded(second, 'If-Match', `"${first.digest}"`),
    ...withEach({ method: 'DELETE', target }, 'If-Match', [`"${absentDigest}"`]),
  ]
}

const conditions = script('manifest-push-conditions', (repository) => {
  const words = ['manifest-push-conditions-1', 'manifest-push-conditions-2']
  const [first, second] = words.map((word) => imageOf(word))
  if (first === undefined || second === undefined) return []
  return [
    ...words.flatMap((word) => goodBlobs(repository, word)),
    ...conditionSteps(repository, { first, second }),
  ]
})

const subjects = script('manifest-subject', (repository) => {
  const image = imageOf('manifest-subject')
  const subject = image.descriptor
  const empty = aBlob('{}')
  const referrer = (word: string, fields: Readonly<Record<string, unknown>>) =>
    aManifest(mediaType.ociManifest, {
      blobs: [empty, contentOf(word)],
      json: {
        ...imageOf(word).json,
        config: { mediaType: mediaType.ociEmpty, digest: empty.digest, size: 2 },
        ...fields,
      },
    })
  const signature = referrer('signature', {
    subject,
    artifactType: 'application/vnd.example.signature',
    annotations: { a: 'b' },
  })
  const sbom = referrer('sbom', { subject, artifactType: 'application/vnd.example.sbom+json' })
  const orphan = referrer('orphan', { subject: { ...subject, digest: absentDigest } })
  const broken = referrer('broken', { subject: { ...subject, digest: 'sha256:short' } })
  const list = `${repository}/referrers/${image.digest}`
  return [
    { method: 'GET', target: list, note: 'before anything is pushed' },
    ...pushedImage(repository, image, 'v1'),
    { method: 'GET', target: list, note: 'no referrers' },
    ...pushedImage(repository, signature),
    ...pushedImage(repository, sbom, 'sbom'),
    ...pushedImage(repository, orphan),
    ...pushedImage(repository, broken, 'broken'),
    { method: 'GET', target: list, note: 'two referrers' },
    { method: 'HEAD', target: list, note: 'two referrers' },
    { method: 'GET', target: `${list}?artifactType=application/vnd.example.signature` },
    {
      method: 'GET',
      target: `${list}?artifactType=application/vnd.example.sbom+json`,
      note: 'plus not escaped',
    },
    { method: 'GET', target: `${list}?n=1` },
    { method: 'GET', target: `${repository}/referrers/sha256:short` },
    { method: 'GET', target: `${repository}/referrers/v1` },
    { method: 'GET', target: `${repository}/referrers/${absentDigest}` },
    { method: 'DELETE', target: `${repository}/manifests/${image.digest}`, note: 'the subject' },
    { method: 'GET', target: list, note: 'the subject is gone' },
    {
      method: 'HEAD',
      target: `${repository}/manifests/${signature.digest}`,
      headers: acceptAll,
      note: 'a referrer whose subject is gone',
    },
  ]
})

export const manifestScripts: readonly Script[] = [
  types,
  historic,
  documents,
  references,
  digests,
  tagNames,
  sizes,
  conditions,
  subjects,
]
