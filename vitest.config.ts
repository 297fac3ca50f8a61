/** Test projects: `npm test` runs `unit`; the slower suites are run by name from `.ci/run` and `npm run proof`. */
import { defineConfig } from 'vitest/config'

/** As slow as what starts processes: whole backups and restores of registries under load, and upgrades of filled databases. */
const slowSuites = ['src/cli/commands/backup/*.test.ts', 'src/metadata/migrations/*.test.ts']

function project(name: string, include: string[], testTimeoutMs: number) {
  return { test: { name, include, testTimeout: testTimeoutMs, hookTimeout: testTimeoutMs } }
}

/** One file at a time: these suites load the whole machine, and what they measure must not meet another of them. */
function serialProject(...options: Parameters<typeof project>) {
  return { test: { ...project(...options).test, fileParallelism: false } }
}

/**
 * Files share the modules of their worker, which saves a third of the time. They run one after another, and what modules
 * remember (the turn budget of `lib/turns/turns.ts`, name sets by their patterns) belongs to no test.
 */
function sharedProject(...options: Parameters<typeof project>) {
  return { test: { ...project(...options).test, isolate: false } }
}

/** The suites of identity, rights and names: they run on PostgreSQL too, beside the contract. */
const rightsSuites = [
  'src/identity/authenticator.test.ts',
  'src/identity/accounts/{accounts,robots}.test.ts',
  'src/identity/sessions/sessions.test.ts',
  'src/identity/access-tokens/{access-tokens,token-login}.test.ts',
  'src/access/grants/rights.test.ts',
  'src/identity/tokens/{signing-keys,token-service}.test.ts',
  'src/organizations/owners.test.ts',
  'test/{access-matrix,ended-actors}.test.ts',
  'test/api/{access-matrix,credentials,people}.test.ts',
  'test/protocol/{access-tokens,former-names,push-rights,rights,token-endpoint,tokens}.test.ts',
]

/** See `test/support/parts/test-database.ts`; needs the server of `scripts/postgres.ts`. */
function onPostgres({ test }: ReturnType<typeof sharedProject>) {
  return { test: { ...test, env: { LADING_TEST_DATABASE: 'postgres' } } }
}

export default defineConfig({
  test: {
    // The default leaves one core to the machine's owner; on two cores that is half.
    maxWorkers: 2,
    projects: [
      sharedProject(
        'unit',
        [
          'src/**/*.test.ts',
          ...slowSuites.map((suite) => `!${suite}`),
          'test/*.test.ts',
          'test/protocol/**/*.test.ts',
          'test/api/*.test.ts',
        ],
        20_000,
      ),
      project('processes', ['test/processes/**/*.test.ts', ...slowSuites], 60_000),
      project('contract-postgres', ['src/**/contract/*postgres*.contract.ts'], 60_000),
      onPostgres(sharedProject('rights-postgres', rightsSuites, 60_000)),
      serialProject('crash', ['test/crash/**/*.test.ts'], 300_000),
      project('conformance', ['test/conformance/**/*.test.ts'], 300_000),
      serialProject('differences', ['test/differences/**/*.test.ts'], 120_000),
      project('clients', ['test/clients/**/*.test.ts'], 300_000),
      project('api', ['test/api/schemathesis/*.test.ts'], 120_000),
      serialProject('proof', ['test/proof/**/*.test.ts'], 1_200_000),
    ],
  },
})
