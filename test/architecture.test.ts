/** Checks the import table of ARCHITECTURE.md and the size rule. The tables below are the rules. */
import { readFileSync, readdirSync } from 'node:fs'
import { join, posix } from 'node:path'
import { describe, expect, test } from 'vitest'

interface SourceFile {
  readonly path: string
  readonly text: string
}

const base = ['lib']
const guards = ['auth.ts', 'identity', 'access', 'audit']
const store = ['blob-store/blob-store.ts', 'blob-store/errors.ts']
const domain = ['registry', 'organizations', 'lifecycle']
/** The terms in which identity expresses rights: the rights of a token, and the query to the policy. */
const accessTerms = [
  'access/permissions.ts',
  'access/policy.ts',
  'access/scope.ts',
  'access/patterns/repository-pattern.ts',
]

const sqlBase = ['errors.ts', 'handles.ts', 'schema.ts', 'sql']
/**
 * What each part of metadata/ may import of the others, from the bottom up: a part names only parts above its own line.
 * `schema.ts` composes the tables that each aggregate declares in a `schema.ts` of its own.
 */
const metadataParts: Readonly<Record<string, readonly string[]>> = {
  'errors.ts': [],
  'handles.ts': [],
  'metadata.ts': ['handles.ts'],
  'observed-metadata.ts': ['handles.ts', 'metadata.ts'],
  'system/schema.ts': [],
  'audit/schema.ts': [],
  'owners/schema.ts': [],
  'identity/schema.ts': [],
  'repositories/schema.ts': ['owners/schema.ts'],
  'rights/schema.ts': [],
  'content/schema.ts': [],
  'schema.ts': [
    'system/schema.ts',
    'audit/schema.ts',
    'owners/schema.ts',
    'identity/schema.ts',
    'repositories/schema.ts',
    'rights/schema.ts',
    'content/schema.ts',
  ],
  sql: ['handles.ts', 'schema.ts'],
  system: sqlBase,
  audit: sqlBase,
  owners: [...sqlBase, 'system'],
  identity: [...sqlBase, 'owners'],
  repositories: [...sqlBase, 'owners'],
  rights: [...sqlBase, 'system', 'identity'],
  content: [...sqlBase, 'repositories', 'owners/schema.ts'],
  deletion: [...sqlBase, 'metadata.ts', 'system', 'owners', 'identity', 'repositories', 'content'],
  migrations: sqlBase,
  dialects: [...sqlBase, 'metadata.ts', 'migrations'],
  backup: [...sqlBase, 'metadata.ts', 'migrations', 'dialects', 'system', 'content'],
}

/** What each folder or file of src/ may import besides itself; the longest matching path decides. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  oci: [...base],
  config: [...base, 'oci'],
  telemetry: [...base, 'oci'],
  'blob-store': [...base, 'oci', 'telemetry'],
  ...rowsOf('metadata', metadataParts, [...base, 'oci', 'telemetry']),
  identity: [...base, ...accessTerms, 'oci', 'metadata', 'telemetry'],
  access: [...base, 'identity', 'oci', 'metadata', 'telemetry'],
  edge: [...base, 'identity', 'access', 'organizations/owners.ts', 'registry/driver-errors.ts', 'oci'],
  'auth.ts': [...base, 'identity', 'access', 'oci', 'metadata', 'telemetry'],
  audit: [...base, 'oci', 'metadata', 'telemetry'],
  registry: [...base, ...guards, ...store, 'oci', 'metadata', 'telemetry'],
  organizations: [...base, ...guards, ...store, 'oci', 'metadata', 'telemetry'],
  lifecycle: [...base, ...guards, ...store, 'oci', 'metadata', 'telemetry'],
  jobs: [...base, ...guards, ...domain, 'oci', 'metadata', 'telemetry'],
  http: [...base, 'edge', ...guards, ...domain, 'oci', 'telemetry', 'api/api-request.ts'],
  api: [...base, 'edge', ...guards, ...domain, 'oci', 'telemetry'],
  cli: [
    ...base,
    'app',
    'auth.ts',
    'identity',
    'access',
    'organizations',
    'lifecycle',
    'blob-store/blob-store.ts',
    'config',
    'metadata',
    'oci',
    'telemetry',
  ],
  'main.ts': ['cli'],
  app: [''],
}

/** Packages and built-in modules that only some places may import. */
const onlyIn: Readonly<Record<string, readonly string[]>> = {
  'node:http': ['http'],
  'node:https': ['http'],
  'node:fs': [
    'lib/folders',
    'blob-store/filesystem',
    'metadata/dialects/sqlite',
    'identity/accounts/first-administrator',
    'lifecycle/backup',
    'api/pages/viewer',
    'config',
    'cli',
  ],
  'node:sqlite': ['metadata'],
  'node:process': ['cli', 'config'],
  kysely: ['metadata'],
  pg: ['metadata'],
  '@electric-sql/pglite': ['metadata'],
  pino: ['telemetry'],
  'prom-client': ['telemetry'],
  '@opentelemetry': ['telemetry'],
  jose: ['identity'],
  zod: ['config', 'api/zod'],
  '@asteasolutions/zod-to-openapi': ['api'],
}

const importPattern = /(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g

function rowsOf(
  folder: string,
  parts: Readonly<Record<string, readonly string[]>>,
  others: readonly string[],
): Record<string, readonly string[]> {
  const rows = Object.entries(parts).map(([part, may]) => {
    return [`${folder}/${part}`, [...others, ...may.map((other) => `${folder}/${other}`)]] as const
  })
  return Object.fromEntries(rows)
}

function isIn(path: string, place: string): boolean {
  return place === '' || path === place || path.startsWith(`${place}/`) || path.startsWith(`${place}.`)
}

function checkLocalImport(path: string, target: string): string | undefined {
  const owner = Object.keys(mayImport)
    .filter((place) => isIn(path, place))
    .sort((a, b) => b.length - a.length)[0]
  if (owner === undefined) return `${path}: its folder is not in the import table`
  const allowed = [owner, ...mayImport[owner]!].some((place) => isIn(target, place))
  return allowed ? undefined : `${path} must not import ${target}`
}

function checkPackageImport(path: string, specifier: string): string | undefined {
  const name = Object.keys(onlyIn).find((key) => specifier === key || specifier.startsWith(`${key}/`))
  if (name === undefined || onlyIn[name]!.some((place) => isIn(path, place) || path.startsWith(place)))
    return undefined
  return `${path} must not import ${specifier}`
}

/** Finds forbidden imports in shipped files only: tests and contract suites may combine real drivers. */
function findViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    if (path.endsWith('.test.ts') || path.includes('/contract/')) return []
    const imports = [...text.matchAll(importPattern)].map(([, specifier]) => {
      if (!specifier!.startsWith('.')) return checkPackageImport(path, specifier!)
      return checkLocalImport(path, posix.join(posix.dirname(path), specifier!))
    })
    const readsEnv =
      path !== 'config/load.ts' && /\bprocess\.env\b/.test(text.replaceAll(/^\s*(\*|\/[/*]).*$/gm, ''))
    return [...imports, readsEnv ? `${path} must not read process.env` : undefined].filter(
      (fault) => fault !== undefined,
    )
  })
}

/** Finds circular imports, types included: at least one circle of each connected group, as `a.ts -> b.ts -> a.ts`. */
function findCircles(files: readonly SourceFile[]): string[] {
  const imports = new Map(
    files.map(({ path, text }) => {
      const local = [...text.matchAll(importPattern)].filter(([, specifier]) => specifier!.startsWith('.'))
      return [path, local.map(([, specifier]) => posix.join(posix.dirname(path), specifier!))]
    }),
  )
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(' -> '))
    if (done.has(path)) return
    done.add(path)
    for (const target of imports.get(path) ?? []) visit(target, [...way, path])
  }
  for (const path of imports.keys()) visit(path, [])
  return circles
}

function readSources(): SourceFile[] {
  const root = join(import.meta.dirname, '..', 'src')
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

describe('architecture', () => {
  test('every import follows the table', () => {
    expect(findViolations(readSources())).toEqual([])
  })

  test.each([
    [
      'oci/digest.ts',
      `import { open } from 'node:fs/promises'`,
      'oci/digest.ts must not import node:fs/promises',
    ],
    [
      'http/router.ts',
      `import type { Metadata } from '../metadata/metadata.ts'`,
      'http/router.ts must not import metadata/metadata.ts',
    ],
    [
      'registry/blobs.ts',
      `import { createStore } from '../blob-store/memory/store.ts'`,
      'registry/blobs.ts must not import blob-store/memory/store.ts',
    ],
    ['registry/tags.ts', `const { sql } = await import('kysely')`, 'registry/tags.ts must not import kysely'],
    [
      'misc/thing.ts',
      `import { systemClock } from '../lib/clock.ts'`,
      'misc/thing.ts: its folder is not in the import table',
    ],
    [
      'metadata/owners/owners.ts',
      `import { deleteAccount } from '../identity/accounts.ts'`,
      'metadata/owners/owners.ts must not import metadata/identity/accounts.ts',
    ],
    [
      'metadata/new/rows.ts',
      `import type { Reader } from '../handles.ts'`,
      'metadata/new/rows.ts: its folder is not in the import table',
    ],
    ['jobs/job.ts', 'const home = process.env.HOME', 'jobs/job.ts must not read process.env'],
  ])('reports a planted violation in %s', (path, text, fault) => {
    expect(findViolations([{ path, text }])).toEqual([fault])
  })

  test('each part of the metadata imports only parts below it', () => {
    const order = Object.keys(metadataParts)
    const faults = order.flatMap((part, index) =>
      metadataParts[part]!.filter((other) => !order.slice(0, index).includes(other)).map(
        (other) => `${part} must not name ${other}`,
      ),
    )
    expect(faults).toEqual([])
  })

  test('no file imports itself through others', () => {
    expect(findCircles(readSources())).toEqual([])
  })

  test('reports planted circles, but not two paths to the same file', () => {
    const files = Object.entries({
      'oci/a.ts': `import type { B } from './b.ts'\nimport { d } from './d.ts'`,
      'oci/b.ts': `import { c } from './sub/c.ts'\nimport { d } from './d.ts'`,
      'oci/sub/c.ts': `export type { A } from '../a.ts'`,
      'oci/d.ts': `const { d } = await import('./d.ts')`,
    }).map(([path, text]) => ({ path, text }))
    expect(findCircles(files)).toEqual([
      'oci/a.ts -> oci/b.ts -> oci/sub/c.ts -> oci/a.ts',
      'oci/d.ts -> oci/d.ts',
    ])
    expect(findCircles(files.slice(0, 2))).toEqual([])
  })

  test('nine of ten source files have at most 250 lines', () => {
    const lines = readSources()
      .map(({ text }) => text.split('\n').length - 1)
      .sort((a, b) => a - b)
    expect(lines[Math.ceil(lines.length * 0.9) - 1]).toBeLessThanOrEqual(250)
  })
})
