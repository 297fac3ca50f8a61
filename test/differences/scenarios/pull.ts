/** Reads: content negotiation, conditions, ranges and unresolvable references. */
import { anImageIndex, mediaType } from '../../support/content/manifests.ts'
import { digestOf } from '../../support/content/random.ts'
import { absentDigest, absentSha512, acceptAll, contentOf, imageOf } from '../content.ts'
import type { AnyStep } from '../step.ts'
import { eachTarget, pushedBlob, pushedImage, script, withEach } from '../step.ts'

const acceptable = [
  '*/*',
  'application/*',
  mediaType.ociManifest,
  mediaType.ociIndex,
  mediaType.dockerManifest,
  mediaType.dockerManifestList,
  'application/json',
  'text/html',
  `${mediaType.ociManifest};q=0`,
  `${mediaType.dockerManifest}, ${mediaType.ociManifest}, */*;q=0.1`,
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
  'no media type',
  '',
]

const accepts = script('accept', (repository) => {
  const image = imageOf('accept')
  const dockerImage = imageOf('accept-docker', { docker: true })
  const index = anImageIndex({
    manifests: [imageOf('accept-child', { platform: { architecture: 'amd64', os: 'linux' } })],
  })
  const list = anImageIndex({ manifests: [imageOf('accept-docker-child', { docker: true })], docker: true })
  const get = (method: string, tag: string) => ({ method, target: `${repository}/manifests/${tag}` })
  return [
    ...pushedImage(repository, image, 'image'),
    ...pushedImage(repository, dockerImage, 'docker-image'),
    ...pushedImage(repository, index, 'index'),
    ...pushedImage(repository, list, 'docker-list'),
    ...['image', 'docker-image', 'index', 'docker-list'].flatMap((tag) => [
      get('GET', tag),
      get('HEAD', tag),
    ]),
    ...withEach(get('GET', 'image'), 'Accept', acceptable),
    ...withEach(get('GET', 'docker-image'), 'Accept', [mediaType.ociManifest, mediaType.dockerManifest]),
    ...withEach(get('HEAD', 'index'), 'Accept', [mediaType.ociManifest, mediaType.ociIndex]),
    ...withEach(get('GET', 'docker-list'), 'Accept', [
      mediaType.dockerManifest,
      mediaType.dockerManifestList,
    ]),
    ...withEach(get('GET', image.digest), 'Accept', ['application/json', mediaType.ociManifest]),
  ]
})

const manifestConditions = script('manifest-conditions', (repository) => {
  const image = imageOf('manifest-conditions')
  const { digest } = image
  const byTag = { method: 'GET', target: `${repository}/manifests/v1`, headers: acceptAll }
  const byDigest = { ...byTag, target: `${repository}/manifests/${digest}` }
  const matching = [
    `"${digest}"`,
    digest,
    `W/"${digest}"`,
    `"${absentDigest}"`,
    `"${absentDigest}", "${digest}"`,
    '*',
  ]
  return [
    ...pushedImage(repository, image, 'v1'),
    ...withEach(byTag, 'If-None-Match', matching),
    ...withEach({ ...byTag, method: 'HEAD' }, 'If-None-Match', [`"${digest}"`, `"${absentDigest}"`]),
    ...withEach(byDigest, 'If-None-Match', [`"${digest}"`]),
    ...withEach(byTag, 'If-Match', [`"${digest}"`, `"${absentDigest}"`]),
    ...withEach(byTag, 'Range', ['bytes=0-9']),
    { ...byTag, target: `${byTag.target}?ns=docker.io`, note: 'as a mirror is asked' },
    ...withEach(byTag, 'Accept-Encoding', ['gzip']),
  ]
})

const rangeValues = [
  'bytes=0-9',
  'bytes=0-0',
  'bytes=1990-',
  'bytes=1990-5000',
  'bytes=-10',
  'bytes=-5000',
  'bytes=-0',
  'bytes=2000-',
  'bytes=5000-6000',
  'bytes=500-0',
  'bytes=0-1999',
  'bytes= 0-9',
  'Bytes=0-9',
  'bytes=0-9,20-29',
  'bytes=0-9,5000-',
  'bytes=5000-,6000-',
  'bytes=0-1999,0-1999',
  'bytes=',
  'bytes=a-b',
  '0-9',
  'items=0-9',
]

const blobRanges = script('blob-ranges', (repository) => {
  const blob = contentOf('blob-ranges')
  const empty = contentOf('', 0)
  const get = { method: 'GET', target: `${repository}/blobs/${blob.digest}` }
  const ranged = { ...get, headers: { Range: 'bytes=0-9' } }
  return [
    ...pushedBlob(repository, blob),
    ...pushedBlob(repository, empty),
    get,
    { ...get, method: 'HEAD' },
    ...withEach(get, 'Range', rangeValues),
    ...withEach({ ...get, method: 'HEAD' }, 'Range', ['bytes=0-9', 'bytes=5000-']),
    ...withEach({ ...get, target: `${repository}/blobs/${empty.digest}`, note: 'empty blob' }, 'Range', [
      'bytes=0-',
      'bytes=-1',
    ]),
    ...withEach(ranged, 'If-Range', [
      `"${blob.digest}"`,
      `W/"${blob.digest}"`,
      blob.digest,
      `"${absentDigest}"`,
      'Sat, 29 Oct 1994 19:43:31 GMT',
    ]),
  ]
})

const blobConditions = script('blob-conditions', (repository) => {
  const blob = contentOf('blob-conditions')
  const get = { method: 'GET', target: `${repository}/blobs/${blob.digest}` }
  const tags = [`"${blob.digest}"`, `W/"${blob.digest}"`, blob.digest, `"${absentDigest}"`, '*']
  return [
    ...pushedBlob(repository, blob),
    ...withEach(get, 'If-None-Match', tags),
    ...withEach({ ...get, method: 'HEAD' }, 'If-None-Match', [`"${blob.digest}"`, `"${absentDigest}"`]),
    ...withEach(get, 'If-Match', tags),
    ...withEach({ ...get, headers: { Range: 'bytes=0-9' } }, 'If-None-Match', [`"${blob.digest}"`]),
    ...withEach(get, 'If-Modified-Since', ['Sat, 29 Oct 2044 19:43:31 GMT']),
    ...withEach(get, 'If-Unmodified-Since', ['Sat, 29 Oct 1994 19:43:31 GMT']),
    ...withEach(get, 'Accept', ['text/html']),
    ...withEach(get, 'Accept-Encoding', ['gzip', 'identity;q=0']),
  ]
})

function referenceSteps(repository: string, digests: { manifest: string; blob: string }): AnyStep[] {
  const { manifest, blob } = digests
  const encoded = (digest: string) => digest.replace(':', '%3A')
  const malformed = [
    'sha256:short',
    'sha256:',
    manifest.toUpperCase().replace('SHA256', 'sha256'),
    `md5:${'0'.repeat(32)}`,
    `sha256:${'g'.repeat(64)}`,
    ':',
  ]
  const unknown = [absentDigest, absentSha512, `blake3:${'0'.repeat(64)}`, 'foo+bar:abc']
  const tags = [
    'absent',
    '.INVALID_MANIFEST_NAME',
    '-dash',
    'a'.repeat(128),
    'a'.repeat(129),
    'v1%20',
    'v1%2F',
    '%761',
    'v%zz',
  ]
  return [
    ...eachTarget('GET', `${repository}/manifests/`, [...tags, ...malformed, ...unknown], acceptAll),
    ...eachTarget('HEAD', `${repository}/manifests/`, ['absent', absentDigest, 'sha256:short'], acceptAll),
    ...eachTarget('GET', `${repository}/blobs/`, [...malformed, ...unknown, 'v1']),
    ...eachTarget('HEAD', `${repository}/blobs/`, [absentDigest, absentSha512, 'sha256:short']),
    ...eachTarget('GET', `${repository}/manifests/`, [encoded(manifest), blob], acceptAll),
    ...eachTarget('GET', `${repository}/blobs/`, [encoded(blob), manifest]),
  ]
}

const references = script('references', (repository) => {
  const image = imageOf('references')
  const blob = contentOf('references').digest
  return [
    ...pushedImage(repository, image, 'v1'),
    ...referenceSteps(repository, { manifest: image.digest, blob }),
    {
      method: 'GET',
      target: `${repository}/manifests/${digestOf(image.bytes, 'sha512')}`,
      headers: acceptAll,
      note: 'pushed as sha256',
    },
    { method: 'GET', target: `${repository}/manifests/`, headers: acceptAll, note: 'no reference' },
    { method: 'GET', target: `${repository}/blobs/`, note: 'no digest' },
  ]
})

const unknownRepository = script('unknown-repository', (repository) => {
  const paths = [
    `/manifests/v1`,
    `/manifests/${absentDigest}`,
    `/blobs/${absentDigest}`,
    '/tags/list',
    `/referrers/${absentDigest}`,
  ]
  return ['GET', 'HEAD'].flatMap((method) => eachTarget(method, repository, paths, acceptAll))
})

export const pullScripts = [
  accepts,
  manifestConditions,
  blobRanges,
  blobConditions,
  references,
  unknownRepository,
]
