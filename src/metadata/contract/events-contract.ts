import { expect, test } from 'vitest'
import { insertEvents, listEvents } from '../events.ts'
import type { NewEvent } from '../events.ts'
import { aDigest, aTag, createRepository, numbers } from './builders.ts'
import type { ContractSubject } from './contract-subject.ts'

export function testEvents({ metadata }: ContractSubject): void {
  test('lists events in order, page by page, with what they carry', async () => {
    const repository = await createRepository(metadata())
    const other = await createRepository(metadata())
    const events = numbers(250).map((index): NewEvent => ({
      kind: index % 2 === 0 ? 'tag.move' : 'blob.push',
      repositoryId: repository.id,
      actor: 'user:1',
      credential: index % 2 === 0 ? 'token:7' : undefined,
      tag: index % 2 === 0 ? aTag(`t${index}`) : undefined,
      before: index % 2 === 0 ? aDigest('before') : undefined,
      after: aDigest(`after-${index}`),
      at: 1_700_000_000_000 + index,
    }))
    await metadata().transact(async (tx) => {
      await insertEvents(tx, [])
      await insertEvents(tx, [{ ...events[0]!, repositoryId: other.id }])
      await insertEvents(tx, events)
    })
    const page = { repositoryId: repository.id, limit: 200 }
    const first = await listEvents(metadata().reader, page)
    const second = await listEvents(metadata().reader, { ...page, after: first.at(-1)?.id })
    const listed = [...first, ...second]
    expect(listed).toEqual(events.map((event) => ({ ...event, id: expect.any(Number) })))
    expect(second).toHaveLength(50)
  })
}
