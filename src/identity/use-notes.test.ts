import { describe, expect, test } from 'vitest'
import { createTestClock } from '../../test/support/parts/open-registry.ts'
import { MetadataFull } from '../metadata/errors.ts'
import { createUseNotes, type UseNotes } from './use-notes.ts'

const everyMs = 60_000

function open(fail?: Error) {
  const clock = createTestClock()
  const written: [number, number][][] = []
  const faults: unknown[] = []
  const notes: UseNotes = createUseNotes({
    clock,
    everyMs,
    write: (uses) => {
      written.push([...uses])
      return fail === undefined ? Promise.resolve() : Promise.reject(fail)
    },
    onError: (error) => void faults.push(error),
  })
  return { clock, written, faults, notes }
}

describe('records of uses', () => {
  test('are written together, each once per interval', async () => {
    const { clock, written, notes } = open()
    const begun = clock.now()
    for (const id of [1, 2, 1]) notes.note(id)
    await notes.flush()
    clock.advance(everyMs - 1)
    notes.note(1)
    await notes.flush()
    clock.advance(1)
    notes.note(1)
    await notes[Symbol.asyncDispose]()
    expect(written).toEqual([
      [
        [1, begun],
        [2, begun],
      ],
      [[1, begun + everyMs]],
    ])
  })

  test('G5: continue after the clock was set back', async () => {
    const { clock, written, notes } = open()
    notes.note(1)
    await notes.flush()
    clock.advance(-10 * everyMs)
    notes.note(1)
    await notes.flush()
    expect(written).toHaveLength(2)
  })

  test('that cannot be written are reported, unless the disk is full', async () => {
    const fault = new Error('gone')
    const broken = open(fault)
    broken.notes.note(1)
    await broken.notes.flush()
    expect(broken.faults).toEqual([fault])
    const full = open(new MetadataFull('no space'))
    full.notes.note(1)
    await full.notes.flush()
    expect(full.faults).toEqual([])
  })
})
