/** The types of clients: those of `docs/openapi.d.ts` are those of the rows, and a client of them works. */
import createClient from 'openapi-fetch'
import { beforeAll, describe, expect, test } from 'vitest'
import type { components, operations, paths } from '../../docs/openapi.d.ts'
import type { ApiRow } from '../../src/api/endpoints.ts'
import type { z } from '../../src/api/zod.ts'
import { basic, passwordOf } from '../support/parts/identity-server.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { tester } from '../support/parts/tester.ts'

type Id = ApiRow['id']
type RowOf<I extends Id> = Extract<ApiRow, { readonly id: I }>
type SchemaOf<I extends Id, Part extends 'body' | 'result'> = NonNullable<RowOf<I>[Part]>

/** A value as JSON: a field of `undefined` is left out. */
type Json<T> = T extends object ? { [Key in keyof T]: Json<Exclude<T[Key], undefined>> } : T

type ContentOf<T> = T extends { readonly content: infer Content } ? Content[keyof Content] : undefined
type BodyIn<I extends Id> = operations[I] extends { readonly requestBody: infer Body }
  ? ContentOf<Body>
  : undefined
type Success<I extends Id> = Extract<keyof operations[I]['responses'], 200 | 201>
type ResultIn<I extends Id> = [Success<I>] extends [never]
  ? undefined
  : ContentOf<operations[I]['responses'][Success<I>]>

type IsSame<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

/** Names the rows whose types differ from those of the document. */
type Differing = {
  [I in Id]: [
    IsSame<Json<z.input<SchemaOf<I, 'body'>>>, Json<BodyIn<I>>>,
    IsSame<Json<z.output<SchemaOf<I, 'result'>>>, Json<ResultIn<I>>>,
  ] extends [true, true]
    ? never
    : I
}[Id]

/** Names the rows that are elsewhere in the document. */
type Misplaced = {
  [I in Id]: paths[RowOf<I>['path']] extends { readonly [M in Lowercase<RowOf<I>['method']>]: operations[I] }
    ? never
    : I
}[Id]

const registry = shareRegistry({ auth: { anonymous: 'pull' } })

beforeAll(async () => {
  const { accounts } = registry.app.auth
  await accounts.add({ name: 'root', password: passwordOf('root'), isAdmin: true }, tester)
})

function openClient() {
  return createClient<paths>({ baseUrl: `${registry.url}/api/v1`, headers: { authorization: basic('root') } })
}

describe('the types', () => {
  test('are the same in the document and in the rows', () => {
    // Fails to compile with the ids of the rows that differ.
    const differing: readonly Differing[] = [] satisfies readonly never[]
    const misplaced: readonly Misplaced[] = [] satisfies readonly never[]
    const none: readonly never[] = [...differing, ...misplaced]
    const all: IsSame<Id, keyof operations> = true
    expect([none, all]).toEqual([[], true])
  })
})

describe('a client of the types', () => {
  test('reads who asks', async () => {
    const { data, error } = await openClient().GET('/me')
    expect(error).toBeUndefined()
    const identity: components['schemas']['Identity'] | undefined = data
    expect(identity).toMatchObject({ name: 'root', kind: 'user', isAdmin: true })
  })

  test('creates, lists and deletes with parameters in the path and the query', async () => {
    const client = openClient()
    const created = await client.POST('/owners', { body: { name: 'typed', visibility: 'private' } })
    expect(created.response.status).toBe(201)
    for (const name of ['a', 'b']) {
      const robot = await client.POST('/owners/{owner}/robots', {
        params: { path: { owner: 'typed' } },
        body: { name },
      })
      expect(robot.data?.login).toBe(`typed+${name}`)
    }
    const owner = { path: { owner: 'typed' } }
    const page = await client.GET('/owners/{owner}/robots', { params: { ...owner, query: { limit: 1 } } })
    expect(page.data?.items.map(({ name }) => name)).toEqual(['a'])
    expect(page.response.headers.get('link')).toContain('rel="next"')
    const removed = await client.DELETE('/owners/{owner}', { params: owner })
    expect(removed.response.status).toBe(204)
  })

  test('gets a problem with its fields', async () => {
    const { data, error } = await openClient().POST('/owners', {
      body: { name: 'NO', visibility: 'private' },
    })
    expect(data).toBeUndefined()
    const problem: components['schemas']['Problem'] | undefined = error
    expect(problem?.errors?.map(({ field }) => field)).toEqual(['body.name'])
  })

  test('refuses at compile time what the API refuses', async () => {
    const client = openClient()
    const { response } = await client.POST('/owners', {
      // @ts-expect-error -- `plan` is not a field
      body: { name: 'typed', visibility: 'private', plan: 1 },
    })
    expect(response.status).toBe(400)
    // @ts-expect-error -- no such path
    const unknown = await client.GET('/nothing')
    expect((unknown as { readonly response: Response }).response.status).toBe(404)
  })
})
