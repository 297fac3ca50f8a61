/** Checks that a pulled layout equals the pushed one, byte by byte. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { digestOf } from '../../test/support/content/random.ts'
import type { BenchImage } from './content.ts'
import { blobPath } from './content.ts'

/** Returns the faults as sentences; none when the manifest, the config and every layer came back unchanged, and nothing else. */
export async function findDifferences(image: BenchImage, pulled: string): Promise<readonly string[]> {
  const name = `${image.repository}:${image.tag}`
  const problems: string[] = []
  const digest = await namedDigest(pulled)
  if (digest !== image.manifestDigest) problems.push(`${name} is ${digest}, not ${image.manifestDigest}`)
  for (const expected of image.digests) {
    const sent = await readFile(blobPath(image.layout, expected))
    const got = await readFile(blobPath(pulled, expected)).catch(() => undefined)
    if (got === undefined) problems.push(`${name} came without ${expected}`)
    else if (digestOf(got) !== expected || !got.equals(sent))
      problems.push(`${name}: ${expected} has other bytes`)
  }
  const files = await readdir(join(pulled, 'blobs/sha256'))
  const wanted = new Set(image.digests)
  for (const file of files)
    if (!wanted.has(`sha256:${file}`)) problems.push(`${name} came with ${file} beside`)
  return problems
}

async function namedDigest(layout: string): Promise<string | undefined> {
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as {
    readonly manifests: readonly { readonly digest: string }[]
  }
  return index.manifests.length === 1 ? index.manifests[0]?.digest : undefined
}
