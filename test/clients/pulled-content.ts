/** Compares pulled content with pushed content, and pushes content without a client. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { Answer, Ask } from '../support/http/client.ts'
import { ask } from '../support/http/client.ts'
import type { TestManifest } from '../support/content/manifests.ts'
import { anImageIndex } from '../support/content/manifests.ts'
import type { TestBlob } from '../support/content/random.ts'
import type { Credentials } from './run-client.ts'

const tagsPerPut = 100
const parallelPuts = 50

/** Returns the digests of the blobs and manifests that a pulled OCI layout lacks or has with other bytes. */
export async function differences(layoutPath: string, pushed: TestManifest): Promise<readonly string[]> {
  const compared = contentOf(pushed).map(async ({ digest, bytes }) => {
    const pulled = await readFile(join(layoutPath, 'blobs', digest.replace(':', '/'))).catch(() => undefined)
    return pulled?.equals(bytes) === true ? [] : [digest]
  })
  return (await Promise.all(compared)).flat()
}

/** Returns the digests of the content of an image or an index, without the manifests. */
export function blobsOf(manifest: TestManifest): readonly string[] {
  return contentOf(manifest).flatMap(({ digest }) => (isManifest(manifest, digest) ? [] : [digest]))
}

function isManifest(manifest: TestManifest, digest: string): boolean {
  return manifest.digest === digest || manifest.children.some((child) => isManifest(child, digest))
}

function contentOf(manifest: TestManifest): readonly TestBlob[] {
  return [manifest, ...manifest.blobs, ...manifest.children.flatMap(contentOf)]
}

/** Pushes an empty index under many tags, `tag-00000` and so on. */
export async function pushTags(
  repositoryUrl: string,
  count: number,
  credentials: Credentials,
): Promise<readonly string[]> {
  const index = anImageIndex()
  const tags = Array.from({ length: count }, (_, n) => `tag-${String(n).padStart(5, '0')}`)
  for (let start = 0; start < count; start += tagsPerPut) {
    const query = tags.slice(start, start + tagsPerPut).map((tag) => `tag=${tag}`)
    await putManifest(`${repositoryUrl}/manifests/${index.digest}?${query.join('&')}`, index, credentials)
  }
  return tags
}

export async function putManifest(
  url: string,
  manifest: TestManifest,
  credentials: Credentials,
): Promise<void> {
  const headers = { 'content-type': manifest.mediaType }
  const answer = await askAs(credentials, url, { method: 'PUT', headers, body: manifest.bytes })
  if (answer.status !== 201) throw new Error(`PUT ${url} answered ${answer.status}: ${answer.text()}`)
}

/** Sends a request with the name and password in it. */
export async function askAs(credentials: Credentials, url: string, options: Ask = {}): Promise<Answer> {
  const pair = `${credentials.name}:${credentials.password}`
  const authorization = `Basic ${Buffer.from(pair).toString('base64')}`
  return await ask(url, { ...options, headers: { ...options.headers, authorization } })
}

/** Pushes each manifest by its digest; the content that they name must exist. */
export async function putManifests(
  repositoryUrl: string,
  manifests: readonly TestManifest[],
  credentials: Credentials,
): Promise<void> {
  for (let start = 0; start < manifests.length; start += parallelPuts) {
    const batch = manifests.slice(start, start + parallelPuts)
    await Promise.all(
      batch.map((manifest) =>
        putManifest(`${repositoryUrl}/manifests/${manifest.digest}`, manifest, credentials),
      ),
    )
  }
}
