import type { IncomingMessage, ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import type { Admitted } from '../edge/gate.ts'
import { anonymous } from '../identity/principal.ts'
import { admit } from './admit.ts'
import type { Readers } from './connections/readers.ts'
import { Exchange } from './exchange.ts'
import { Cors } from './replies/cors.ts'
import type { BodyReader } from './requests/body-reader.ts'
import type { RequestOrigin } from './requests/origin.ts'

test('an exchange is admitted once, and keeps who asked', async () => {
  const exchange = new Exchange({
    id: 'request',
    incoming: { headers: {} } as IncomingMessage,
    response: {} as ServerResponse,
    body: {} as BodyReader,
    expectsContinue: false,
    origin: { address: '192.0.2.1' } as RequestOrigin,
    readers: {} as Readers,
    cors: new Cors(),
  })
  const admitted: Admitted = {
    isAdmitted: true,
    principal: anonymous,
    repository: undefined,
    push: { create: false, update: false },
    decideAgain: () => Promise.resolve(),
  }
  const gate = { admit: () => Promise.resolve(admitted) }
  const asked = { surface: 'registry', method: 'GET', need: 'enter', target: {} } as const
  expect(exchange.principal).toBeUndefined()
  expect(await admit(exchange, asked, { gate })).toBe(admitted)
  expect(exchange.principal).toBe(anonymous)
  await expect(admit(exchange, asked, { gate })).rejects.toThrow('already admitted')
})
