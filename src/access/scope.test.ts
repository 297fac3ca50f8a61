import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseRepositoryName } from '../oci/repository-name.ts'
import { formatScope, includesAction, parseScopes } from './scope.ts'

describe('parseScopes', () => {
  test.each([
    ['repository:acme/web:pull', ['repository:acme/web:pull']],
    ['repository:acme/web:push,pull', ['repository:acme/web:pull,push']],
    ['repository:acme/web:*', ['repository:acme/web:*']],
    ['repository:acme/web:delete,pull', ['repository:acme/web:delete,pull']],
    ['registry:catalog:*', ['registry:catalog:*']],
    ['repository:a/b:pull repository:c/d:pull,push', ['repository:a/b:pull', 'repository:c/d:pull,push']],
    ['repository:a/b:pull  repository:a/b:pull,push', ['repository:a/b:pull,push']],
    ['repository:host:5000/a/b:pull', ['repository:host:5000/a/b:pull']],
    ['repository(plugin):a/b:pull', ['repository:a/b:pull']],
    ['repository:a/b:pull,,push,PULL,pull', ['repository:a/b:pull,push']],
    ['repository:hello:pull', ['repository:hello:pull']],
    ['', []],
    ['repository', []],
    ['repository:a/b', []],
    ['account:a/b:pull', []],
    ['repository:a b:pull', []],
    ['repository:"a/b":pull', []],
  ])('reads %j', (text, expected) => {
    expect(parseScopes(text).map(formatScope)).toEqual(expected)
  })

  test('reads repeated parameters as one request', () => {
    const texts = ['repository:a/b:pull', 'repository:c/d:push repository:a/b:delete']
    expect(parseScopes(texts).map(formatScope)).toEqual(['repository:a/b:delete,pull', 'repository:c/d:push'])
  })

  test('accepts at most a hundred repositories', () => {
    const text = Array.from({ length: 500 }, (_, index) => `repository:a/b${index}:pull`).join(' ')
    expect(parseScopes(text)).toHaveLength(100)
  })

  test('accepts at most sixteen actions of a repository, in one scope or several', () => {
    const actions = Array.from({ length: 10_000 }, (_, index) =>
      index.toString(26).replaceAll(/\d/g, (digit) => String.fromCodePoint(113 + Number(digit))),
    )
    expect(parseScopes(`repository:a/b:pull,${actions.join(',')}`)[0]?.actions).toHaveLength(16)
    const many = actions.map((action) => `repository:a/b:pull,${action}`)
    const [scope] = parseScopes(many)
    expect(scope?.actions).toHaveLength(16)
    expect(scope?.actions).toContain('pull')
  })

  test('never throws, and reads its own output back unchanged', () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('repository', 'registry', ':', 'a/b', 'pull', ',', '*', ' ', '(', ')'),
    )
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const scopes = parseScopes(parts.join(''))
        expect(parseScopes(scopes.map(formatScope))).toEqual(scopes)
      }),
    )
  })
})

describe('includesAction', () => {
  const repository = parseRepositoryName('acme/web')

  test.each([
    ['repository:acme/web:pull', true],
    ['repository:acme/web:pull,push', true],
    ['repository:acme/web:push', false],
    ['repository:acme/we:pull', false],
    ['repository:acme/web/x:pull', false],
    ['registry:acme/web:pull', false],
    ['', false],
  ])('%j lets a token pull: %s', (text, expected) => {
    expect(includesAction(parseScopes(text), repository, 'pull')).toBe(expected)
  })

  test('allows everything without a token', () => {
    expect(includesAction(undefined, repository, 'delete')).toBe(true)
  })
})
