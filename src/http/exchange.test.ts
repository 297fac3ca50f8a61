import type { IncomingMessage, ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import type { BodyReader } from './body-reader.ts'
import { Exchange } from './exchange.ts'
import type { RequestOrigin } from './origin.ts'
import type { Readers } from './readers.ts'

function partyAt(address: string): string {
  const { party } = new Exchange({
    id: 'request',
    incoming: {} as IncomingMessage,
    response: {} as ServerResponse,
    body: {} as BodyReader,
    expectsContinue: false,
    origin: { address } as RequestOrigin,
    readers: {} as Readers,
  })
  return party
}

test('the addresses of one /64 of IPv6 answer together for the memory of those without an account', () => {
  expect(partyAt('2001:db8::1')).toBe(partyAt('2001:db8::ffff:2'))
  expect(partyAt('2001:db8::1')).not.toBe(partyAt('2001:db8:0:1::1'))
  expect(partyAt('192.0.2.1')).not.toBe(partyAt('192.0.2.2'))
})
