/**
 * @module Builders of manifests and their blobs, as plain values. They use no type of the code under test, so that a mistake
 * there cannot hide here. The `push*` functions send them over HTTP as a client does.
 */
import type { Answer, Ask } from '../http/client.ts'
import { ask } from '../http/client.ts'
import type { TestBlob } from './random.ts'
import { aBlob, aRandomBlob, aRandomWord } from './random.ts'

export const mediaType = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const

export interface TestDescriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly [field: string]: unknown
}

export interface TestManifest extends TestBlob {
  readonly mediaType: string
  readonly json: Readonly<Record<string, unknown>>
  /** The blobs to push before the manifest, config first. */
  readonly blobs: readonly TestBlob[]
  /** The children of an index, to push before it. */
  readonly children: readonly TestManifest[]
  /** The descriptor that another manifest puts into `subject` or `manifests` to point at this one. */
  readonly descriptor: TestDescriptor
}

interface Common {
  readonly subject?: TestDescriptor
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
  /** Fields that are added to the document or replace its own. */
  readonly extra?: Readonly<Record<string, unknown>>
}

export interface ImageOptions extends Common {
  /** The layers; a number makes this many new random layers. */
  readonly layers?: number | readonly TestBlob[]
  readonly layerBytes?: number
  readonly config?: TestBlob
  readonly platform?: { readonly architecture: string; readonly os: string; readonly variant?: string }
  readonly labels?: Readonly<Record<string, string>>
  readonly docker?: boolean
}

export function aDescriptor(
  blob: TestBlob,
  type: string,
  extra: Record<string, unknown> = {},
): TestDescriptor {
  return { mediaType: type, digest: blob.digest, size: blob.size, ...extra }
}

/** Makes a new image: its config holds a random word unless one is given. */
export function anImageManifest(options: ImageOptions = {}): TestManifest {
  const { layers: wanted = 1, layerBytes = 1024, docker = false } = options
  const layers =
    typeof wanted === 'number' ? Array.from({ length: wanted }, () => aRandomBlob(layerBytes)) : wanted
  const config = options.config ?? aConfig(options)
  const type = docker ? mediaType.dockerManifest : mediaType.ociManifest
  return aManifest(type, {
    blobs: [config, ...layers],
    json: {
      schemaVersion: 2,
      mediaType: type,
      ...(options.artifactType === undefined ? {} : { artifactType: options.artifactType }),
      config: aDescriptor(config, docker ? mediaType.dockerConfig : mediaType.ociConfig),
      layers: layers.map((layer) => aDescriptor(layer, docker ? mediaType.dockerLayer : mediaType.ociLayer)),
      ...commonFields(options),
    },
  })
}

export interface IndexOptions extends Common {
  readonly manifests?: readonly TestManifest[]
  readonly docker?: boolean
}

/** Makes an index of the given manifests. The `platform` of each entry is read from its config if that is JSON. */
export function anImageIndex(options: IndexOptions = {}): TestManifest {
  const children = options.manifests ?? []
  const type = options.docker === true ? mediaType.dockerManifestList : mediaType.ociIndex
  return aManifest(type, {
    children,
    json: {
      schemaVersion: 2,
      mediaType: type,
      ...(options.artifactType === undefined ? {} : { artifactType: options.artifactType }),
      manifests: children.map((child) => ({ ...child.descriptor, ...platformOf(child) })),
      ...commonFields(options),
    },
  })
}

/** Makes an artifact without a config, as signing and SBOM tools push it; points at `subject` if given. */
export function anArtifact(options: Common & { readonly blob?: TestBlob } = {}): TestManifest {
  const { artifactType = 'application/vnd.example.artifact' } = options
  const empty = aBlob('{}')
  const blob = options.blob ?? aRandomBlob(64)
  return aManifest(mediaType.ociManifest, {
    blobs: [empty, blob],
    json: {
      schemaVersion: 2,
      mediaType: mediaType.ociManifest,
      artifactType,
      config: aDescriptor(empty, mediaType.ociEmpty),
      layers: [aDescriptor(blob, 'application/octet-stream')],
      ...commonFields(options),
    },
  })
}

/** Makes a manifest with any content, for cases that no tool produces. */
export function aManifest(
  type: string,
  parts: {
    readonly json: Readonly<Record<string, unknown>>
    readonly blobs?: readonly TestBlob[]
    readonly children?: readonly TestManifest[]
  },
): TestManifest {
  const blob = aBlob(JSON.stringify(parts.json))
  return {
    ...blob,
    mediaType: type,
    json: parts.json,
    blobs: parts.blobs ?? [],
    children: parts.children ?? [],
    descriptor: aDescriptor(blob, type),
  }
}

export type PushOptions = Pick<Ask, 'headers' | 'agent'>

/** Uploads a blob by POST and one PUT with the whole body. Throws unless the response is 201. */
export async function pushBlob(
  repositoryUrl: string,
  blob: TestBlob,
  options: PushOptions = {},
): Promise<Answer> {
  const start = await ask(`${repositoryUrl}/blobs/uploads/`, { ...options, method: 'POST' })
  expectStatus(start, 202, 'POST blobs/uploads/')
  const location = uploadUrl(repositoryUrl, start)
  location.searchParams.set('digest', blob.digest)
  const answer = await ask(location.href, {
    ...options,
    method: 'PUT',
    body: blob.bytes,
    headers: { 'content-type': 'application/octet-stream', ...options.headers },
  })
  expectStatus(answer, 201, `PUT of blob ${blob.digest}`)
  return answer
}

/** Pushes one manifest by tag or digest (by default its own digest). Throws unless the response is 201. */
export async function pushManifest(
  repositoryUrl: string,
  manifest: TestManifest,
  options: PushOptions & { readonly reference?: string } = {},
): Promise<Answer> {
  const { reference = manifest.digest, ...rest } = options
  const answer = await ask(`${repositoryUrl}/manifests/${reference}`, {
    ...rest,
    method: 'PUT',
    body: manifest.bytes,
    headers: { 'content-type': manifest.mediaType, ...rest.headers },
  })
  expectStatus(answer, 201, `PUT manifests/${reference}`)
  return answer
}

/** Pushes the blobs, then the children, then the manifest: `pushImage(`${url}/v2/a/b`, image, { reference: 'v1' })`. */
export async function pushImage(
  repositoryUrl: string,
  manifest: TestManifest,
  options: PushOptions & { readonly reference?: string } = {},
): Promise<Answer> {
  const { reference: _reference, ...rest } = options
  for (const blob of manifest.blobs) await pushBlob(repositoryUrl, blob, rest)
  for (const child of manifest.children) await pushImage(repositoryUrl, child, rest)
  return await pushManifest(repositoryUrl, manifest, options)
}

/** Returns the absolute URL of a response's `Location`. Throws when the header is missing. */
export function uploadUrl(baseUrl: string, answer: Answer): URL {
  const { location } = answer.headers
  if (location === undefined) throw new Error(`answer ${answer.status} has no Location`)
  return new URL(location, baseUrl)
}

function expectStatus(answer: Answer, status: number, what: string): void {
  if (answer.status !== status) {
    throw new Error(`${what} answered ${answer.status} instead of ${status}: ${answer.text().slice(0, 2000)}`)
  }
}

function aConfig(options: ImageOptions): TestBlob {
  const platform = options.platform ?? { architecture: 'amd64', os: 'linux' }
  const Labels = { 'org.example.word': aRandomWord(), ...options.labels }
  return aBlob(
    JSON.stringify({
      ...platform,
      config: { Labels },
      rootfs: { type: 'layers', diff_ids: [] },
      history: [],
    }),
  )
}

function commonFields(options: Common): Record<string, unknown> {
  return {
    ...(options.subject === undefined ? {} : { subject: options.subject }),
    ...(options.annotations === undefined ? {} : { annotations: options.annotations }),
    ...options.extra,
  }
}

function platformOf(child: TestManifest): Record<string, unknown> {
  const config = child.blobs[0]
  if (config === undefined || child.json['config'] === undefined) return {}
  try {
    const { architecture, os, variant } = JSON.parse(config.bytes.toString('utf8')) as Record<string, unknown>
    if (architecture === undefined) return {}
    return { platform: { architecture, os, ...(variant === undefined ? {} : { variant }) } }
  } catch {
    return {}
  }
}
