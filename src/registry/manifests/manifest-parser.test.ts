import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { parseManifest } from '../../../test/support/content/read-at-once.ts'
import type { Steps } from '../../lib/turns/steps.ts'
import type { ParsedManifest } from '../../oci/manifest/parse-manifest.ts'
import { anArtifact, anImageManifest } from '../../../test/support/content/manifests.ts'
import { ManifestParser } from './manifest-parser.ts'
import { TurnCounter } from '../../../test/support/turn-counter.ts'

const { bytes: small } = anArtifact()
const { bytes: large } = anArtifact({ annotations: { large: 'x'.repeat(20_000) } })

/** A parser whose work on large manifests continues until `finish`. */
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

/** A config of `size` bytes without a searchable value. */
function aConfig(size: number): Uint8Array {
  const values = Array.from({ length: Math.floor(size / 3) }, () => '{}')
  return Buffer.from(`{"os":"linux","values":[${values.join(',')}]}`)
}

test('a large config is read in many turns of the event loop', async () => {
  const bytes = aConfig(1_000_000)
  const config = { size: bytes.length, read: async () => bytes }
  using counter = new TurnCounter()
  const manifest = parseManifest(anImageManifest({ layers: 1 }).bytes, undefined)
  const properties = await new ManifestParser().extractProperties({ manifest, config, party: 'user:1' })
  expect(properties).toContainEqual({ name: 'os', value: 'linux' })
  expect(counter.turns).toBeGreaterThan(50)
})

test('large configs wait for each other before they are read into memory', async () => {
  const gate = Promise.withResolvers<undefined>()
  let reads = 0
  const read = (): Promise<undefined> => {
    reads += 1
    return gate.promise
  }
  const parser = new ManifestParser()
  const manifest = parseManifest(small, undefined)
  const extract = (size: number, party: string) =>
    parser.extractProperties({ manifest, config: { size, read }, party })
  const parties = ['user:1', 'user:1', 'user:2', 'user:3']
  const extracted = parties.map((party) => extract(20_000, party))
  await nextTurn()
  expect(reads).toBe(2)
  extracted.push(extract(1_000, 'user:1'))
  await nextTurn()
  expect(reads).toBe(3)
  gate.resolve(undefined)
  await Promise.all(extracted)
  expect(reads).toBe(5)
})
