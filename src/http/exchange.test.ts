import type { IncomingMessage, ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import type { BodyReader } from './requests/body-reader.ts'
import { Cors } from './replies/cors.ts'
import { Exchange } from './exchange.ts'
import type { RequestOrigin } from './requests/origin.ts'
import type { Readers } from './connections/readers.ts'

function openAt(address: string): Exchange {
  return new Exchange({
    id: 'request',
    incoming: {} as IncomingMessage,
    response: {} as ServerResponse,
    body: {} as BodyReader,
    expectsContinue: false,
    origin: { address } as RequestOrigin,
    readers: {} as Readers,
    cors: new Cors(),
  })
}

function partyAt(address: string): string {
  return openAt(address).party
}

function partyOf(account: { kind: 'user' | 'robot'; accountId: number; name: string }): string {
  const exchange = openAt('192.0.2.1')
  const principal = { ...account, isAdmin: false, scopes: undefined }
  exchange.admission = { isAdmitted: false, principal, refusal: undefined }
  return exchange.party
}

test('the addresses of one /64 of IPv6 answer together for the memory of those without an account', () => {
  expect(partyAt('2001:db8::1')).toBe(partyAt('2001:db8::ffff:2'))
  expect(partyAt('2001:db8::1')).not.toBe(partyAt('2001:db8:0:1::1'))
  expect(partyAt('192.0.2.1')).not.toBe(partyAt('192.0.2.2'))
})

test('an account answers for itself, and the robots of an owner answer together', () => {
  const ci = partyOf({ kind: 'robot', accountId: 1, name: 'acme+ci' })
  expect(partyOf({ kind: 'robot', accountId: 2, name: 'acme+build' })).toBe(ci)
  const others = [
    partyOf({ kind: 'robot', accountId: 3, name: 'globex+ci' }),
    partyOf({ kind: 'user', accountId: 4, name: 'acme' }),
    partyOf({ kind: 'user', accountId: 1, name: 'alice' }),
    partyAt('192.0.2.1'),
  ]
  expect(new Set([ci, ...others]).size).toBe(5)
})
