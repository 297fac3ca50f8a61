import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { extractProperties, parseManifest } from '../../../test/support/content/read-at-once.ts'
import { digestBytes } from '../digest.ts'
import type { ParsedManifest } from '../manifest/parse-manifest.ts'
import { mediaTypes } from '../media-type.ts'
import { licenseNames } from './license-names.ts'
import { maxProperties, maxValueBytes } from './property-list.ts'

describe('extractProperties', () => {
  test('reads an image config, its labels and the annotations', () => {
    const config = {
      os: 'linux',
      architecture: 'arm64',
      variant: 'v8',
      author: 'Ada',
      created: '2026-08-01T00:00:00Z',
      config: { Labels: { maintainer: 'ada@example.org', 'org.opencontainers.image.licenses': 'MIT' } },
      history: [{}, {}],
    }
    const annotations = { 'org.opencontainers.image.licenses': 'Apache-2.0 OR MIT', empty: '' }
    expect(pairs(anImage({ annotations }), config)).toEqual([
      ['artifactType', mediaTypes.ociImageConfig],
      ['platform', 'linux/arm64/v8'],
      ['os', 'linux'],
      ['architecture', 'arm64'],
      ['variant', 'v8'],
      ['author', 'Ada'],
      ['created', '2026-08-01T00:00:00Z'],
      ['history.count', '2'],
      ['license', 'Apache-2.0'],
      ['license', 'MIT'],
      ['annotation.org.opencontainers.image.licenses', 'Apache-2.0 OR MIT'],
      ['annotation.empty', ''],
      ['label.maintainer', 'ada@example.org'],
      ['label.org.opencontainers.image.licenses', 'MIT'],
    ])
  })

  test('reads a Helm chart', () => {
    const chart = {
      name: 'web',
      version: '1.2.3',
      appVersion: '4',
      description: 'A web',
      home: 'https://example.org',
      keywords: ['http', 7, 'http'],
      maintainers: [{ name: 'Ada', email: 'ada@example.org' }, null, { email: 'x' }],
      os: 'linux',
    }
    expect(pairs(anImage({ configType: mediaTypes.helmConfig }), chart)).toEqual([
      ['artifactType', mediaTypes.helmConfig],
      ['chart.name', 'web'],
      ['chart.version', '1.2.3'],
      ['chart.appVersion', '4'],
      ['chart.description', 'A web'],
      ['chart.home', 'https://example.org'],
      ['chart.keyword', 'http'],
      ['chart.maintainer', 'Ada'],
    ])
  })

  test('reads the platforms of an index', () => {
    const entry = { mediaType: mediaTypes.ociManifest, digest: digestBytes(new Uint8Array()), size: 0 }
    const manifests = ['amd64', 'arm64', 'amd64'].map((architecture) => {
      return { ...entry, platform: { os: 'linux', architecture } }
    })
    const index = parse({ schemaVersion: 2, manifests: [...manifests, entry] })
    expect(extractProperties(index, undefined)).toEqual([
      { name: 'platform', value: 'linux/amd64' },
      { name: 'platform', value: 'linux/arm64' },
    ])
  })

  test('leaves configs of other types alone', () => {
    expect(pairs(anImage({ configType: 'application/x' }), { os: 'linux' })).toEqual([
      ['artifactType', 'application/x'],
    ])
  })

  test.each([
    ['no JSON', '{"os":'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a name twice', '{"os":"linux","os":"windows"}'],
    [
      'wrong types',
      '{"os":1,"architecture":[],"created":"yesterday","history":{},"config":"x","author":null}',
    ],
    ['labels of wrong types', '{"config":{"Labels":["a"]}}'],
    ['more than 4 MiB', `{"os":"${'x'.repeat(4 * 1024 * 1024)}"}`],
  ])('finds nothing in a config that holds %s', (_, text) => {
    const properties = extractProperties(anImage({}), new TextEncoder().encode(text))
    expect(properties.filter(({ name }) => name !== 'artifactType' && name !== 'label.0')).toEqual([])
  })

  test('keeps valid values beside invalid ones', () => {
    const config = { os: 'linux', architecture: 7, config: { Labels: { a: 1, b: 'x' } } }
    expect(pairs(anImage({}), config).slice(1)).toEqual([
      ['os', 'linux'],
      ['label.b', 'x'],
    ])
  })

  test('A2: limits number and length, and keeps the most important properties', () => {
    const many = Object.fromEntries(Array.from({ length: 2000 }, (_, number) => [`k${number}`, 'v']))
    const labels = { ['n'.repeat(300)]: 'x', long: 'é'.repeat(5000) }
    const manifest = anImage({ annotations: many })
    const properties = extractProperties(manifest, encode({ os: 'linux', config: { Labels: labels } }))
    expect(properties).toHaveLength(maxProperties)
    expect(properties[1]).toEqual({ name: 'os', value: 'linux' })
    const few = pairs(anImage({}), { config: { Labels: labels } })
    expect(few.slice(1)).toEqual([['label.long', 'é'.repeat(maxValueBytes / 2)]])
  })

  test('removes NUL, which a database may refuse', () => {
    expect(pairs(anImage({ annotations: { 'a\0b': 'c\0d' } }), {}).slice(1)).toEqual([
      ['annotation.ab', 'cd'],
    ])
  })

  test('E7: never throws and keeps its limits for any annotations and config', () => {
    const configTypes = fc.constantFrom(mediaTypes.ociImageConfig, mediaTypes.helmConfig)
    const config = fc.oneof(
      fc.uint8Array(),
      fc.jsonValue().map(encode),
      fc
        .dictionary(
          fc.constantFrom('os', 'config', 'Labels', 'history', 'keywords', 'maintainers'),
          fc.jsonValue(),
        )
        .map(encode),
    )
    const annotations = fc.dictionary(fc.string(), fc.string())
    fc.assert(
      fc.property(configTypes, annotations, config, (configType, annotations, bytes) => {
        const properties = extractProperties(anImage({ configType, annotations }), bytes)
        expect(properties.length).toBeLessThanOrEqual(maxProperties)
        for (const { name, value } of properties) {
          expect(name).toMatch(/^[a-z]/)
          expect(Buffer.byteLength(value)).toBeLessThanOrEqual(maxValueBytes)
        }
      }),
    )
  })
})

describe('licenseNames', () => {
  test.each([
    ['MIT', ['MIT']],
    ['MIT OR (Apache-2.0 AND  BSD-3-Clause)', ['MIT', 'Apache-2.0', 'BSD-3-Clause']],
    ['GPL-2.0-only WITH Classpath-exception-2.0', ['GPL-2.0-only WITH Classpath-exception-2.0']],
    ['MIT, Apache License 2.0; GPL-2.0 or later', ['MIT', 'Apache License 2.0', 'GPL-2.0 or later']],
    ['MIT AND AND ISC', ['MIT', 'ISC']],
    ['(OR)', []],
    ['', []],
  ])('reads %j as %j', (text, expected) => {
    expect(licenseNames(text)).toEqual(expected)
  })

  test('A6: reads a long run of spaces or operators at once', () => {
    expect(licenseNames(' '.repeat(1_000_000))).toEqual([])
    expect(licenseNames('AND '.repeat(250_000))).toEqual([])
  })
})

function anImage(options: { annotations?: Record<string, string>; configType?: string }): ParsedManifest {
  const { annotations = {}, configType = mediaTypes.ociImageConfig } = options
  const config = { mediaType: configType, digest: digestBytes(new Uint8Array()), size: 0 }
  return parse({ schemaVersion: 2, config, layers: [], annotations })
}

function parse(document: unknown): ParsedManifest {
  return parseManifest(encode(document), undefined)
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

function pairs(manifest: ParsedManifest, config: unknown): string[][] {
  return extractProperties(manifest, encode(config)).map(({ name, value }) => [name, value])
}
