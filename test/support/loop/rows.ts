/** The rows of the event-loop proof: the requests of one client while other clients wait for their turns. */
import { drain, drainPages, expectStatus, holdSilently, pipeline } from './load.ts'
import type { Asking } from './load.ts'
import { manyTagsDigest, names, subject } from './seed-rows.ts'
import type { LoopSizes } from './sizes.ts'

export interface LoopScene {
  readonly sizes: LoopSizes
  /** An anonymous client, an administrator, a user with many repositories, and that user's token with hostile patterns. */
  readonly as: Readonly<Record<'anyone' | 'root' | 'me' | 'token', Asking>>
  /** Digests of layers in `names.put`. */
  readonly layers: readonly string[]
  /** The digest of a blob in `names.blobs`. */
  readonly blob: string
}

export interface LoopRow {
  readonly what: string
  /** Returns a summary; throws when the response is not the expected one. */
  run(scene: LoopScene): Promise<string>
}

const encoded = encodeURIComponent

/** Reads come first, deletes last. */
export const loopRows: readonly LoopRow[] = [
  {
    what: 'referrers with large annotations, all pages',
    run: ({ as }) => drainPages(as.anyone, `/v2/${names.annotated}/referrers/${subject}`),
  },
  {
    what: 'referrers of one subject, all pages',
    run: ({ as }) => drainPages(as.anyone, `/v2/${names.referrers}/referrers/${subject}`),
  },
  {
    what: 'pipelined GETs of one large manifest',
    run: ({ as, sizes }) =>
      pipeline(as.anyone, `/v2/${names.manifest}/manifests/v1`, sizes.pipelinedManifests),
  },
  {
    what: 'pipelined tag lists',
    run: ({ as, sizes }) => pipeline(as.anyone, `/v2/${names.tags}/tags/list`, sizes.pipelinedTagLists),
  },
  {
    what: 'pipelined GETs of a blob',
    run: ({ as, sizes, blob }) =>
      pipeline(as.anyone, `/v2/${names.blobs}/blobs/${blob}`, sizes.pipelinedBlobs),
  },
  {
    what: 'connections that ask for tag lists and never read',
    run: ({ as, sizes }) =>
      holdSilently(as.anyone, {
        path: `/v2/${names.tags}/tags/list`,
        connections: sizes.silentReaders,
        ms: sizes.silentMs,
      }),
  },
  {
    what: 'catalog with a token of hostile patterns',
    run: ({ as }) => drainPages(as.token, '/v2/_catalog?n=1000'),
  },
  {
    what: 'who-can among all grants of an owner, all pages',
    run: ({ as }) =>
      drainPages(as.root, `/api/v1/access/who-can/${names.grants}?action=pull&repositories=**&limit=200`),
  },
  {
    what: 'who-can for hostile names',
    run: ({ as }) => {
      const part = encoded(`${'a'.repeat(99)}*`)
      return drainPages(as.root, `/api/v1/access/who-can/${names.grants}?action=pull&repositories=${part}`)
    },
  },
  {
    what: 'grants of an owner, all pages',
    run: ({ as }) => drainPages(as.root, `/api/v1/owners/${names.grants}/grants`),
  },
  {
    what: 'access tokens of a user, all pages',
    run: ({ as }) => drainPages(as.me, '/api/v1/me/tokens?limit=200'),
  },
  { what: 'users, all pages', run: ({ as }) => drainPages(as.root, '/api/v1/users?limit=200') },
  {
    what: 'owners that a user sees, all pages',
    run: ({ as }) => drainPages(as.me, '/api/v1/owners?limit=200'),
  },
  {
    what: 'repositories that a user sees, all pages',
    run: ({ as }) => drainPages(as.me, '/api/v1/repositories?limit=200'),
  },
  { what: 'catalog of anyone, all pages', run: ({ as }) => drainPages(as.anyone, '/v2/_catalog?n=1000') },
  {
    what: 'catalog of an administrator, all pages',
    run: ({ as }) => drainPages(as.root, '/v2/_catalog?n=1000'),
  },
  { what: 'tags, all pages', run: ({ as }) => drainPages(as.anyone, `/v2/${names.tags}/tags/list?n=10000`) },
  {
    what: 'audit search for what few rows match, all pages',
    run: ({ as }) => drainPages(as.root, '/api/v1/audit?actor=user-1&action=user.create'),
  },
  {
    what: 'audit export',
    run: ({ as }) => expectStatus(drain(as.root, '/api/v1/audit/export'), 200),
  },
  {
    what: 'HEAD of an audit export',
    run: ({ as }) => expectStatus(drain(as.root, '/api/v1/audit/export', { method: 'HEAD' }), 200),
  },
  {
    what: 'PUT of a manifest with many layers',
    run: ({ as, layers }) => put(as.root, aManifest(layers), 201),
  },
  {
    what: 'PUT of a manifest of the largest size with too many layers',
    run: ({ as, layers, sizes }) => put(as.root, aManifest(fill(layers, sizes.largeManifestBytes)), 400),
  },
  {
    what: 'DELETE of a manifest with many layers',
    run: async ({ as }) => {
      const tagged = await drain(as.root, `/v2/${names.put}/manifests/large`, { method: 'HEAD' })
      if (tagged.digest === undefined) throw new Error('manifest not found')
      const path = `/v2/${names.put}/manifests/${tagged.digest}`
      return expectStatus(drain(as.root, path, { method: 'DELETE' }), 202)
    },
  },
  {
    what: 'DELETE of a manifest with many tags',
    run: ({ as }) =>
      expectStatus(
        drain(as.root, `/v2/${names.manyTags}/manifests/${manyTagsDigest}`, { method: 'DELETE' }),
        202,
      ),
  },
  {
    what: 'DELETE of a repository of manifests with many layers',
    run: ({ as }) =>
      expectStatus(
        drain(as.root, `/api/v1/repositories/${encoded(names.layers)}`, { method: 'DELETE' }),
        204,
      ),
  },
  {
    what: 'DELETE of the repository with the most tags',
    run: ({ as }) =>
      expectStatus(drain(as.root, `/api/v1/repositories/${encoded(names.tags)}`, { method: 'DELETE' }), 204),
  },
  {
    what: 'purge of an owner',
    run: ({ as }) =>
      expectStatus(drain(as.root, `/api/v1/owners/${names.purged}?purge=true`, { method: 'DELETE' }), 204),
  },
]

function put(asking: Asking, document: string, status: number): Promise<string> {
  const body = Buffer.from(document)
  return expectStatus(drain(asking, `/v2/${names.put}/manifests/large`, { method: 'PUT', body }), status)
}

function aManifest(layers: readonly string[]): string {
  const [config = subject] = layers
  const empty = 'application/vnd.oci.empty.v1+json'
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: empty, digest: config, size: 1 },
    layers: layers.map((digest) => ({ mediaType: empty, digest, size: 1 })),
  })
}

/** The size of a descriptor in `aManifest`, including its comma. */
const bytesPerLayer = 143

/** Repeats the layers up to the size, and beyond the largest number of layers that a manifest may have. */
function fill(layers: readonly string[], bytes: number): string[] {
  const [first = subject] = layers
  const count = Math.max(10_001, Math.floor((bytes - 500) / bytesPerLayer))
  return Array.from({ length: count }, (_, index) => layers[index % layers.length] ?? first)
}
