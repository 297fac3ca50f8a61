/** Pushes of whole images: a new layer and config (POST, then PUT with the body each), then the manifest under a new tag. */
import { randomBytes } from 'node:crypto'
import { FreshContentSource } from '../content.ts'
import type { Sample } from '../sample.ts'
import { aBlob } from '../../test/support/content/random.ts'
import { mediaType } from '../../test/support/content/manifests.ts'
import { measureLoop } from './closed-loop.ts'
import type { RawConnection } from './connection.ts'
import { expectStatus, headerOf, requestHead } from './connection.ts'

export interface PushLoad {
  /** `http://host:port/v2/<repository>`; each connection pushes into its own repository below it. */
  readonly repositoryUrl: string
  readonly layerBytes: number
  readonly connections: number
  readonly durationMs: number
}

export function measurePushes(load: PushLoad): Promise<Sample> {
  const layers = new FreshContentSource(load.layerBytes)
  return measureLoop({ ...load, url: load.repositoryUrl }, (connection, index) =>
    pushOne(connection, `${load.repositoryUrl}-${index}`, layers),
  )
}

async function pushOne(
  connection: RawConnection,
  repositoryUrl: string,
  layers: FreshContentSource,
): Promise<void> {
  const layer = layers.next()
  const config = aBlob(
    JSON.stringify({ architecture: 'amd64', os: 'linux', id: randomBytes(8).toString('hex') }),
  )
  await putBlob(connection, repositoryUrl, layer)
  await putBlob(connection, repositoryUrl, { ...config, sizeBytes: config.size, parts: [config.bytes] })
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaType.ociManifest,
      config: { mediaType: mediaType.ociConfig, digest: config.digest, size: config.size },
      layers: [{ mediaType: mediaType.ociLayer, digest: layer.digest, size: layer.sizeBytes }],
    }),
  )
  const url = new URL(`${repositoryUrl}/manifests/t${randomBytes(8).toString('hex')}`)
  const head = requestHead('PUT', url, {
    'Content-Type': mediaType.ociManifest,
    'Content-Length': manifest.length,
  })
  expectStatus(await connection.exchange([head, manifest]), 201, 'PUT of a manifest')
}

interface BlobBody {
  readonly digest: string
  readonly sizeBytes: number
  readonly parts: readonly Uint8Array[]
}

async function putBlob(connection: RawConnection, repositoryUrl: string, blob: BlobBody): Promise<void> {
  const url = await startUpload(connection, repositoryUrl)
  url.searchParams.set('digest', blob.digest)
  const head = requestHead('PUT', url, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': blob.sizeBytes,
  })
  expectStatus(await connection.exchange([head, ...blob.parts]), 201, 'PUT of a blob')
}

/** Starts an upload session. Returns its URL. */
export async function startUpload(connection: RawConnection, repositoryUrl: string): Promise<URL> {
  const post = requestHead('POST', new URL(`${repositoryUrl}/blobs/uploads/`), { 'Content-Length': 0 })
  const answer = expectStatus(await connection.exchange([post]), 202, 'POST of an upload')
  return new URL(headerOf(answer, 'location'), repositoryUrl)
}
