/**
 * The own tests of crane and regctl, of their command lines and of their libraries, as `scripts/tools/client-suites.sh` builds
 * them: where a test starts a registry, it gets Lading. Tests that start no registry use responses in their own source, which
 * says nothing about Lading, and are not run. Each of the other tests either runs or is in a table below with the reason.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { installedTool } from './client-programs.ts'
import type { RegistryFactory } from './registry-factory.ts'
import { startRegistryFactory } from './registry-factory.ts'
import { runClient } from './run-client.ts'

interface Suite {
  /** The name of the program in `.tools/suites/bin`. */
  readonly program: string
  /** The folder of its sources and test data, below `.tools/suites`. */
  readonly folder: string
  /** Tests and subtests (`Test/name`) that are not run, with the reason. */
  readonly excluded?: Readonly<Record<string, string>>
}

const noSchemaVersion =
  'pushes the manifest {}: without schemaVersion it is no manifest of the image specification, and is refused'
const noReferrers = 'is about registries without the referrers API, which Lading has'

const suites: readonly Suite[] = [
  { program: 'crane-cmd', folder: 'go-containerregistry/cmd/crane/cmd' },
  {
    program: 'crane-edit',
    folder: 'go-containerregistry/internal/cmd',
    excluded: { TestEditManifest: noSchemaVersion },
  },
  { program: 'crane', folder: 'go-containerregistry/pkg/crane' },
  {
    program: 'crane-remote',
    folder: 'go-containerregistry/pkg/v1/remote',
    excluded: {
      TestMultiWrite: noSchemaVersion,
      TestReferrers: noReferrers,
      'TestReferrersTagFallbackDisabled/registry_without_referrers_API': noReferrers,
      TestPullingForeignLayer:
        'pushes with the Content-Type text/plain, which its source sends by oversight: it has to be the mediaType',
      TestSchema1: 'pushes a Docker image manifest of schema 1, which Lading does not take',
    },
  },
  { program: 'regctl', folder: 'regclient/cmd/regctl' },
  { program: 'regsync', folder: 'regclient/cmd/regsync' },
  { program: 'regclient', folder: 'regclient' },
  {
    program: 'regclient-mod',
    folder: 'regclient/mod',
    excluded: {
      'TestMod/Data_field':
        'pushes an index whose embedded data is not the child that its digest and size name, which Lading compares',
    },
  },
]

const root = installedTool('suites', 'client-suites.sh')
installedTool('suites/installed', 'client-suites.sh')
let factory: RegistryFactory

beforeAll(async () => {
  factory = await startRegistryFactory()
})
afterAll(async () => {
  await factory[Symbol.asyncDispose]()
})

/** Returns the names of the tests that start a registry, in the order of the sources. */
function testsWithRegistry({ folder }: Suite): readonly string[] {
  const sources = readdirSync(join(root, folder)).filter((name) => name.endsWith('_test.go'))
  return sources.toSorted().flatMap((name) => {
    const functions = readFileSync(join(root, folder, name), 'utf8').split(/^(?=func )/m)
    return functions.flatMap((text) => {
      const test = /^func (Test\w+)\(/.exec(text)?.[1]
      return test !== undefined && /\b(registry\.New|olareg\.New|mustRegistry)\(/.test(text) ? [test] : []
    })
  })
}

/** Runs one test. Fails with its output. */
async function runTest({ program, folder, excluded = {} }: Suite, name: string): Promise<string> {
  const subtests = Object.keys(excluded).filter((key) => key.startsWith(`${name}/`))
  const parts = subtests.map((subtest) => subtest.slice(name.length + 1))
  const skip = parts.length === 0 ? [] : [`-test.skip=^${name}$/^(${parts.join('|')})$`]
  const { stdout } = await runClient(
    join(root, 'bin', program),
    [`-test.run=^${name}$`, '-test.v', '-test.timeout=110s', ...skip],
    { cwd: join(root, folder), env: { LADING_FACTORY: factory.url } },
  )
  return stdout
}

describe.each(suites)('$program', (suite) => {
  const names = testsWithRegistry(suite)
  const excluded = Object.keys(suite.excluded ?? {})

  test('has tests that start a registry, including the excluded ones', () => {
    expect(names).not.toEqual([])
    expect(names).toEqual(expect.arrayContaining(excluded.map((name) => name.split('/')[0])))
  })

  test.each(names.filter((name) => !excluded.includes(name)))('%s', async (name) => {
    const before = factory.started

    const output = await runTest(suite, name)

    expect(output).toContain(`--- PASS: ${name} (`)
    expect(factory.started).toBeGreaterThan(before)
  })
})
