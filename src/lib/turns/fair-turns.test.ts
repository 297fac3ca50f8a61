import { setImmediate as settle } from 'node:timers/promises'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FairTurns, TurnRefused, type FairTurnsOptions, type Turn } from './fair-turns.ts'

interface Subject {
  readonly turns: FairTurns
  /** The work that had its turn, in order. */
  readonly served: string[]
  readonly refused: string[]
  /** One character for the party, one for the member, then characters that identify the work. */
  come(...names: string[]): void
  /** Ends the current turns and those that follow until no caller is waiting for a turn. */
  drain(): Promise<string[]>
}

function turnOf(name: string): Turn {
  return { party: name.slice(0, 1), member: name.slice(1, 2) }
}

/** Work in progress ends only when the test drains it, so that all earlier callers wait. */
function open(options: Partial<FairTurnsOptions> = {}): Subject {
  const turns = new FairTurns({ slots: 1, maxWaiting: 100, ...options })
  const gate = Promise.withResolvers<void>()
  const [served, refused]: [string[], string[]] = [[], []]
  const work = (name: string) => () => {
    served.push(name)
    return gate.promise
  }
  return {
    turns,
    served,
    refused,
    come(...names) {
      for (const name of names) turns.run(turnOf(name), work(name)).catch(() => void refused.push(name))
    },
    async drain() {
      gate.resolve()
      await settle()
      return served
    },
  }
}

describe('fair turns', () => {
  test('of one member come in order of arrival', async () => {
    const subject = open()
    subject.come('ax1', 'ax2', 'ax3')
    await settle()
    expect(subject.served).toEqual(['ax1'])
    expect(await subject.drain()).toEqual(['ax1', 'ax2', 'ax3'])
  })

  test('rotate among the parties, however many requests each has waiting', async () => {
    const subject = open()
    subject.come('ax1', 'ax2', 'ax3', 'ax4', 'bx1', 'bx2')
    expect(await subject.drain()).toEqual(['ax1', 'bx1', 'ax2', 'bx2', 'ax3', 'ax4'])
  })

  test('give one of three to the newest party that has had no turn yet', async () => {
    const subject = open()
    subject.come('ax1', ...Array.from('bcdefgh', (party) => `${party}x1`), 'ix1', 'ix2')
    const order = (await subject.drain()).map((name) => name.slice(0, 1))
    expect(order.join('')).toBe('aibchdegfi')
  })

  test('rotate among the members of a party', async () => {
    const subject = open()
    subject.come('ax1', 'ax2', 'ax3', 'ay1', 'az1')
    expect(await subject.drain()).toEqual(['ax1', 'ax2', 'ay1', 'az1', 'ax3'])
  })

  test('run as many at a time as there are slots, and one per party', async () => {
    const subject = open({ slots: 3 })
    subject.come('ax1', 'ax2', 'bx1', 'bx2', 'cx1', 'dx1')
    await settle()
    expect(subject.served).toEqual(['ax1', 'bx1', 'cx1'])
    expect(await subject.drain()).toHaveLength(6)
  })

  test('prefer favoured work, and give one of four to the rest', async () => {
    const subject = open({ isFavoured: (party) => party === party.toUpperCase() })
    subject.come('ax0', 'bx1', 'cx1', ...Array.from('ABCDEF', (party) => `${party}x1`))
    const order = (await subject.drain()).map((name) => name.slice(0, 1))
    expect(order.join('')).toBe('aAFBbCEDc')
  })

  test('check after each turn which work is favoured', async () => {
    const favoured = new Set(['a', 'b'])
    const subject = open({ isFavoured: (party) => favoured.has(party) })
    subject.come('ax1', 'ax2', 'bx1', 'bx2')
    favoured.delete('a')
    expect(await subject.drain()).toEqual(['ax1', 'bx1', 'bx2', 'ax2'])
  })

  test('skip a resting party until all its rests are over', async () => {
    const subject = open()
    const rests = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    for (const { promise } of rests) subject.turns.rest('a', promise)
    subject.come('ax1', 'bx1', 'bx2')
    expect(await subject.drain()).toEqual(['bx1', 'bx2'])
    rests[0]?.resolve()
    await settle()
    expect(subject.served).toHaveLength(2)
    rests[1]?.reject(new Error('even so'))
    await settle()
    expect(subject.served).toEqual(['bx1', 'bx2', 'ax1'])
  })

  test('are refused to the newest request of the member with the most, when a party has too many waiting', async () => {
    const subject = open({ maxPerParty: 3 })
    subject.come('ax0', 'ax1', 'ax2', 'ay1', 'az1', 'aw1')
    expect(await subject.drain()).toEqual(['ax0', 'ax1', 'ay1', 'az1'])
    expect(subject.refused).toEqual(['ax2', 'aw1'])
  })

  test('are refused to the newest request of the party with the most, when too many wait in total', async () => {
    const subject = open({ maxWaiting: 3 })
    subject.come('ax0', 'bx1', 'bx2', 'cx1', 'dx1', 'ex1')
    expect((await subject.drain()).toSorted()).toEqual(['ax0', 'bx1', 'cx1', 'dx1'])
    expect(subject.refused).toEqual(['bx2', 'ex1'])
  })

  test('are not refused to favoured work while other work waits', async () => {
    const subject = open({ maxWaiting: 3, isFavoured: (party) => party === party.toUpperCase() })
    subject.come('ax0', 'Cx1', 'Cx2', 'bx1', 'Dx1', 'Ex1')
    expect((await subject.drain()).toSorted()).toEqual(['Cx1', 'Dx1', 'Ex1', 'ax0'])
    expect(subject.refused).toEqual(['bx1', 'Cx2'])
  })

  test('continue after failed work, whose error goes to its caller', async () => {
    const turns = new FairTurns({ slots: 1, maxWaiting: 1 })
    await expect(turns.run({ party: 'a' }, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await turns.run({ party: 'a' }, () => Promise.resolve(1))).toBe(1)
  })

  test('end for all work, with a turn or a refusal, within the bounds', async () => {
    const name = fc.tuple(fc.constantFrom('a', 'b', 'C', 'D'), fc.constantFrom('x', 'y'))
    await fc.assert(
      fc.asyncProperty(
        fc.array(name, { maxLength: 40 }),
        fc.integer({ min: 1, max: 3 }),
        async (all, slots) => {
          const turns = new FairTurns({
            slots,
            maxWaiting: 6,
            maxPerParty: 4,
            isFavoured: (party) => party < 'a',
          })
          const running = new Set<string>()
          const outcomes = all.map(async ([party, member], index) => {
            for (let hops = 0; hops < index % 5; hops++) await Promise.resolve()
            return await turns.run({ party, member }, async () => {
              expect(running.has(party)).toBe(false)
              running.add(party)
              expect(running.size).toBeLessThanOrEqual(slots)
              if (index % 3 === 0) turns.rest(party, settle())
              await settle()
              running.delete(party)
            })
          })
          const faults = (await Promise.allSettled(outcomes))
            .filter((outcome) => outcome.status === 'rejected')
            .filter(({ reason }) => !(reason instanceof TurnRefused))
          expect(faults).toEqual([])
        },
      ),
      { numRuns: 50 },
    )
  })
})
