import { expect, test } from 'vitest'
import { openAuth } from '../../test/support/open-auth.ts'
import type { OpenAuth } from '../../test/support/open-auth.ts'
import { listLoginEvents } from '../metadata/login-events.ts'
import type { LoginOutcome } from '../metadata/login-events.ts'

const day = 24 * 60 * 60 * 1000

function record(open: OpenAuth, outcome: LoginOutcome, address = '192.0.2.1'): void {
  open.auth.events.record(
    { accountId: undefined, method: 'password', outcome },
    { address, client: undefined },
  )
}

async function recorded(open: OpenAuth): Promise<string[]> {
  await open.auth.events.flush()
  const events = await listLoginEvents(open.metadata.reader, { limit: 10_000 })
  return events.map(({ outcome, address }) => `${outcome} ${address}`)
}

test('records each attempt that was looked at, with what became of it', async () => {
  await using open = await openAuth()
  for (const outcome of ['granted', 'wrong-password', 'wrong-password', 'unknown'] as const)
    record(open, outcome)
  expect(await recorded(open)).toEqual([
    'granted 192.0.2.1',
    'wrong-password 192.0.2.1',
    'wrong-password 192.0.2.1',
    'unknown 192.0.2.1',
  ])
})

test('A4: records one refusal a minute of each address that tries too often, and counts all', async () => {
  const counted: string[] = []
  await using open = await openAuth({ onLogin: (outcome) => void counted.push(outcome) })
  for (let second = 0; second < 60; second += 1) {
    record(open, 'throttled', '192.0.2.1')
    record(open, 'throttled', '192.0.2.2')
    open.clock.advance(1000)
  }
  expect(await recorded(open)).toEqual(['throttled 192.0.2.1', 'throttled 192.0.2.2'])
  record(open, 'throttled', '192.0.2.1')
  expect(await recorded(open)).toHaveLength(3)
  expect(counted).toHaveLength(121)
})

test('G5: records refusals again after the clock was set back', async () => {
  await using open = await openAuth()
  record(open, 'throttled')
  open.clock.advance(-day)
  record(open, 'throttled')
  expect(await recorded(open)).toHaveLength(2)
})

test('forgets what is older than 90 days faster than more comes in', async () => {
  await using open = await openAuth()
  for (let count = 0; count < 100; count += 1) record(open, 'wrong-password', '192.0.2.9')
  expect(await recorded(open)).toHaveLength(100)
  open.clock.advance(91 * day)
  for (let count = 0; count < 50; count += 1) record(open, 'granted')
  expect(new Set(await recorded(open))).toEqual(new Set(['granted 192.0.2.1']))
})
