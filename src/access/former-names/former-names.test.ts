import { describe, expect, test } from 'vitest'
import { parseRepositoryName } from '../../oci/repository-name.ts'
import { anonymous } from '../../identity/principal.ts'
import type { Scope } from '../scope.ts'
import { createFormerNames, grantFormerNames } from './former-names.ts'
import { VersionWatch } from '../version-watch.ts'

/** `old` was renamed to `new`; counts the database queries. */
function open(options: { answer: 'at once' | 'later' }) {
  let now = 0
  let version = 1
  const asked = { version: 0, owners: [] as string[] }
  const reply = <T>(value: T): T | Promise<T> =>
    options.answer === 'at once' ? value : Promise.resolve(value)
  const watch = new VersionWatch({
    now: () => now,
    getVersion: () => {
      asked.version += 1
      return reply(version)
    },
  })
  const names = new Map([['old', 'new']])
  const formerNames = createFormerNames({
    version: watch,
    findOwner: (name) => {
      asked.owners.push(name)
      return reply(names.get(name))
    },
  })
  return {
    formerNames,
    asked,
    names,
    raise: () => void (version += 1),
    advance: (ms: number) => void (now += ms),
    resolve: (name: string) => formerNames.resolve(parseRepositoryName(name)),
    endTurn: () => new Promise((resolve) => setImmediate(() => setImmediate(resolve))),
  }
}

describe('formerNames', () => {
  test.each(['at once', 'later'] as const)('lead to the new name (%s)', async (answer) => {
    const given = open({ answer })
    expect(await given.resolve('old/web/app')).toBe('new/web/app')
    expect(await given.resolve('older/web')).toBeUndefined()
    expect(await given.resolve(`old/${'x'.repeat(251)}`)).toBe(`new/${'x'.repeat(251)}`)
  })

  test('lead to no name that cannot exist', async () => {
    const given = open({ answer: 'at once' })
    given.names.set('a', 'longer')
    expect(await given.resolve(`a/${'x'.repeat(253)}`)).toBeUndefined()
  })

  test('are read once while the rights do not change', async () => {
    const given = open({ answer: 'at once' })
    for (const name of ['acme/a', 'acme/b', 'acme/a']) expect(given.resolve(name)).toBeUndefined()
    expect(given.asked).toEqual({ version: 1, owners: ['acme'] })
    await given.endTurn()
    expect(given.resolve('acme/a')).toBeUndefined()
    expect(given.asked).toEqual({ version: 2, owners: ['acme'] })
    given.raise()
    given.names.set('acme', 'apex')
    await given.endTurn()
    expect(given.resolve('acme/a')).toBe('apex/a')
  })

  test('are at most half a second old with a database that answers later', async () => {
    const given = open({ answer: 'later' })
    expect(await Promise.all([given.resolve('acme/a'), given.resolve('acme/b')])).toEqual([
      undefined,
      undefined,
    ])
    expect(given.asked.version).toBe(1)
    given.raise()
    given.names.set('acme', 'apex')
    given.advance(499)
    expect(await given.resolve('acme/a')).toBeUndefined()
    given.advance(1)
    expect(await given.resolve('acme/a')).toBe('apex/a')
  })

  test('appear in tokens as requested, with the rights under the new name', async () => {
    const seen: Scope[] = []
    const policy = {
      grant: (_: unknown, scopes: readonly Scope[]) => {
        seen.push(...scopes)
        return Promise.resolve(scopes.map((scope) => ({ ...scope, actions: ['pull'] })))
      },
    }
    const { formerNames } = open({ answer: 'at once' })
    const asked: Scope[] = [
      { type: 'repository', name: 'old/web', actions: ['pull', 'push'] },
      { type: 'repository', name: 'Not/A/Name', actions: ['pull'] },
      { type: 'registry', name: 'catalog', actions: ['*'] },
    ]
    const granted = await grantFormerNames(policy, formerNames).grant(anonymous, asked)
    expect(seen.map(({ name }) => name)).toEqual(['new/web', 'Not/A/Name', 'catalog'])
    expect(granted).toEqual(asked.map((scope) => ({ ...scope, actions: ['pull'] })))
  })
})
