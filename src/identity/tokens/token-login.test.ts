import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { addUsers, basic, bobsPassword, openAuth, origin } from '../../../test/support/parts/open-auth.ts'
import { createTestClock } from '../../../test/support/parts/open-registry.ts'
import { tempFolder } from '../../../test/support/processes/temp-folder.ts'
import { openSqliteMetadata } from '../../metadata/dialects/sqlite/sqlite.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import { createReader, databaseOf } from '../../metadata/sql/database.ts'

/** Counts the queries that were compiled once; a request with cached credentials runs no others. */
async function openCounted() {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder())
  const onFatal = (error: unknown): never => {
    throw error
  }
  const file = join(folder.path, 'lading.db')
  const sqlite = stack.use(await openSqliteMetadata({ file, clock: createTestClock(), onFatal }))
  const database = databaseOf(sqlite.reader)
  const counts = { queries: 0 }
  const { templates } = database
  const reader = createReader({
    ...database,
    templates: {
      all(...asked) {
        counts.queries += 1
        return templates.all(...asked)
      },
      first(...asked) {
        counts.queries += 1
        return templates.first(...asked)
      },
    },
  })
  const metadata = new Proxy(sqlite, {
    get: (target, key) => {
      if (key === 'reader') return reader
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  }) satisfies Metadata
  const open = stack.use(await openAuth({ metadata }))
  const resources = stack.move()
  return { open, counts, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

test('a bearer token from any credential costs one query per request', async () => {
  await using given = await openCounted()
  const { open, counts } = given
  const { auth } = open
  await addUsers(open)
  const issue = async (authorization: string, offline: boolean) => {
    const principal = await auth.authenticator.authenticate(authorization, origin)
    return auth.tokens.issue({ principal, scopes: [], offline, clientId: undefined })
  }
  const { id } = (await auth.accounts.find('bob'))!
  const actor = { id: 'operator', name: 'test' }
  const { secret } = await auth.accessTokens.create(id, { name: 'laptop' }, actor)
  const fromPassword = await issue(basic('bob', bobsPassword), false)
  const withRefresh = await issue(basic('bob', bobsPassword), true)
  const refreshed = await auth.tokens.refresh(
    { refreshToken: withRefresh.refreshToken ?? '', scopes: [] },
    origin,
  )
  const fromToken = await issue(basic('bob', secret), false)
  for (const { token } of [fromPassword, withRefresh, refreshed, fromToken]) {
    await auth.authenticator.authenticate(`Bearer ${token}`, origin)
    await nextTurn()
    const before = counts.queries
    await auth.authenticator.authenticate(`Bearer ${token}`, origin)
    expect(counts.queries - before).toBe(1)
    await nextTurn()
  }
})
