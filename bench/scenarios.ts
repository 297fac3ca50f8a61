/** The scenarios, in the order of the report. */
import { mediaType } from '../test/support/content/manifests.ts'
import { measurePushes } from './load/push.ts'
import { measureSmallRequests } from './load/small-requests.ts'
import { measureLargeGet, measureMonolithicPut, measureStreamedPatch } from './load/transfer.ts'
import { measureWithWrk } from './load/wrk.ts'
import type { Sample } from './sample.ts'
import type { SeededTarget } from './target.ts'
import { repositoryUrl, seedRepository } from './target.ts'

export interface LoadSettings {
  readonly connections: number
  readonly durationMs: number
  readonly uploadBytes: number
  readonly useWrk: boolean
}

export interface Scenario {
  readonly id: string
  readonly title: string
  readonly unit: 'requests/s' | 'images/s' | 'GB/s'
  /** Whether it is left out, with a note, for a target without the referrers API. */
  readonly needsReferrers?: boolean
  /** Whether it writes to disk: dirty pages are then written before the next measurement. */
  readonly writes?: boolean
  measure(target: SeededTarget, settings: LoadSettings): Promise<Sample>
}

const pushedLayerBytes = 1024 * 1024
const manifestTypes = [
  mediaType.ociManifest,
  mediaType.ociIndex,
  mediaType.dockerManifest,
  mediaType.dockerManifestList,
].join(', ')

export const scenarios: readonly Scenario[] = [
  small({ id: 'manifest-get', title: 'manifest GET by tag', paths: byTag }),
  small({ id: 'manifest-head', title: 'manifest HEAD by tag', paths: byTag, method: 'HEAD' }),
  small({ id: 'blob-head', title: 'blob HEAD', paths: oneBlob, method: 'HEAD' }),
  small({ id: 'blob-get', title: 'small blob GET (8.7 KiB)', paths: oneBlob }),
  small({
    id: 'blob-get-wide',
    title: 'small blob GET (2,000 of 60 kB)',
    paths: (target) => target.smallBlobDigests.map((digest) => `blobs/${digest}`),
  }),
  small({
    id: 'tags',
    title: 'tags page of 100',
    paths: (target) => [100, 300, 500, 700].map((index) => `tags/list?n=100&last=${target.tags[index]}`),
  }),
  {
    ...small({
      id: 'referrers',
      title: 'referrers of 200',
      paths: (target) => [`referrers/${target.manifestDigest}`],
    }),
    needsReferrers: true,
  },
  {
    id: 'push',
    title: 'push of an image (1 MiB layer)',
    unit: 'images/s',
    writes: true,
    measure: (target, { connections, durationMs }) =>
      measurePushes({
        repositoryUrl: repositoryUrl(target, 'bench/push'),
        layerBytes: pushedLayerBytes,
        connections,
        durationMs,
      }),
  },
  {
    id: 'large-put',
    title: 'large PUT',
    unit: 'GB/s',
    writes: true,
    measure: (target, { uploadBytes }) =>
      measureMonolithicPut(repositoryUrl(target, 'bench/large'), uploadBytes),
  },
  {
    id: 'large-patch',
    title: 'large streamed PATCH',
    unit: 'GB/s',
    writes: true,
    measure: (target, { uploadBytes }) =>
      measureStreamedPatch(repositoryUrl(target, 'bench/large'), uploadBytes),
  },
  {
    id: 'large-get',
    title: 'large GET, one client',
    unit: 'GB/s',
    measure: ({ url, large }) =>
      measureLargeGet(`${url}/v2/${seedRepository}/blobs/${large.digest}`, large.sizeBytes),
  },
]

/** Returns the scenarios with these ids, or all without ids. */
export function chooseScenarios(ids: readonly string[]): readonly Scenario[] {
  const unknown = ids.filter((id) => !scenarios.some((scenario) => scenario.id === id))
  if (unknown.length > 0) {
    const known = scenarios.map(({ id }) => id).join(', ')
    throw new Error(`unknown scenario ${unknown.join(', ')}; choose from ${known}`)
  }
  return ids.length === 0 ? scenarios : scenarios.filter(({ id }) => ids.includes(id))
}

interface SmallScenario {
  readonly id: string
  readonly title: string
  /** The paths to request in turn, below the seeded repository. */
  readonly paths: (target: SeededTarget) => readonly string[]
  readonly method?: 'GET' | 'HEAD'
}

function small({ id, title, paths, method = 'GET' }: SmallScenario): Scenario {
  return {
    id,
    title,
    unit: 'requests/s',
    measure: async (target, { connections, durationMs, useWrk }) => {
      const load = {
        baseUrl: target.url,
        method,
        paths: paths(target).map((path) => `/v2/${seedRepository}/${path}`),
        accept: `${manifestTypes}, */*`,
        authorization: target.authorization,
        connections,
        durationMs,
      }
      return await (useWrk && method === 'GET' ? measureWithWrk(load) : measureSmallRequests(load))
    },
  }
}

function byTag({ tags }: SeededTarget): readonly string[] {
  return tags.map((tag) => `manifests/${tag}`)
}

function oneBlob({ layerDigest }: SeededTarget): readonly string[] {
  return [`blobs/${layerDigest}`]
}
