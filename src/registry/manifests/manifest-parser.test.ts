import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Steps } from '../../lib/steps.ts'
import { parseManifest } from '../../oci/manifest/parse-manifest.ts'
import type { ParsedManifest } from '../../oci/manifest/parse-manifest.ts'
import { anArtifact } from '../../../test/support/manifests.ts'
import { ManifestParser } from './manifest-parser.ts'

const { bytes: small } = anArtifact()
const { bytes: large } = anArtifact({ annotations: { large: 'x'.repeat(20_000) } })

/** A parser whose work on large ones goes on until `finish`. */
function aScene() {
  const work = { underWay: 0, isFinished: false }
  function* read(bytes: Uint8Array, contentType: string | undefined): Steps<ParsedManifest> {
    work.underWay += 1
    if (bytes === large) while (!work.isFinished) yield
    work.underWay -= 1
    return parseManifest(bytes, contentType)
  }
  const parser = new ManifestParser({ read })
  const parse = (bytes: Uint8Array, party: string) => parser.parse({ bytes, contentType: undefined, party })
  return { work, parse }
}

test('large manifests of one account are parsed one by one, and keep no other account waiting', async () => {
  const { work, ...scene } = aScene()
  const parsed = Array.from({ length: 50 }, () => scene.parse(large, 'user:1'))
  await nextTurn()
  expect(work.underWay).toBe(1)
  parsed.push(scene.parse(large, 'user:2'), scene.parse(large, 'user:3'))
  await nextTurn()
  expect(work.underWay).toBe(2)
  expect((await scene.parse(small, 'user:1')).kind).toBe('image')
  work.isFinished = true
  expect(await Promise.all(parsed)).toHaveLength(52)
  expect(work.underWay).toBe(0)
})
