import { describe, expect, test } from 'vitest'
import { aRandomBlob } from '../../../test/support/content/random.ts'
import { parseDigest } from '../../oci/digest.ts'
import { ColdReads } from './cold-reads.ts'

const kibibyte = 1024

/** A database that answers when the test tells it to, and counts its queries. */
function aDatabase() {
  const asked: PromiseWithResolvers<Uint8Array>[] = []
  return {
    asked,
    read: () => {
      const answer = Promise.withResolvers<Uint8Array>()
      asked.push(answer)
      return answer.promise
    },
  }
}

function aContent(size: number) {
  return { digest: parseDigest(aRandomBlob(8).digest), size }
}

function aReader() {
  const controller = new AbortController()
  return { signal: controller.signal, reserve: () => Promise.resolve(), leave: () => controller.abort(gone) }
}

const gone = new Error('gone')

async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}

describe('reads of manifests that are not in memory', () => {
  test.each([200, 200 * kibibyte])('share one query while it runs: %i bytes', async (size) => {
    const database = aDatabase()
    const reads = new ColdReads({ read: database.read })
    const content = aContent(size)
    const answers = Array.from({ length: 500 }, () => reads.read(content, aReader()))
    await settle()
    expect(database.asked).toHaveLength(1)
    const bytes = Buffer.alloc(8)
    database.asked[0]?.resolve(bytes)
    expect(new Set(await Promise.all(answers))).toEqual(new Set([bytes]))
    void reads.read(content, aReader())
    expect(database.asked).toHaveLength(2)
  })

  test('stay within the bytes in flight, and let small contents pass', async () => {
    const database = aDatabase()
    const reads = new ColdReads({ read: database.read, maxBytesInFlight: 250 * kibibyte })
    const large = Array.from({ length: 5 }, () => reads.read(aContent(100 * kibibyte), aReader()))
    await settle()
    expect(database.asked).toHaveLength(2)
    void reads.read(aContent(kibibyte), aReader())
    expect(database.asked).toHaveLength(3)
    for (const [index, answer] of database.asked.entries()) answer.resolve(Buffer.from([index]))
    await Promise.all(large.slice(0, 2))
    // Memory becomes free in a later turn of the event loop, never in the same one.
    expect(database.asked).toHaveLength(3)
    await settle()
    expect(database.asked).toHaveLength(5)
  })

  test('are dropped when all their clients leave before their turn', async () => {
    const database = aDatabase()
    const reads = new ColdReads({ read: database.read, maxBytesInFlight: 100 * kibibyte })
    void reads.read(aContent(100 * kibibyte), aReader())
    const content = aContent(100 * kibibyte)
    const clients = [aReader(), aReader()]
    const answers = clients.map((client) => reads.read(content, client))
    const outcomes = Promise.allSettled(answers)
    clients[0]?.leave()
    await settle()
    const next = reads.read(aContent(100 * kibibyte), aReader())
    clients[1]?.leave()
    expect((await outcomes).map((outcome) => outcome.status === 'rejected' && outcome.reason)).toEqual([
      gone,
      gone,
    ])
    database.asked[0]?.resolve(Buffer.alloc(1))
    await settle()
    // The read that waited behind them has started; theirs have not.
    expect(database.asked).toHaveLength(2)
    database.asked[1]?.resolve(Buffer.from('next'))
    expect(await next).toEqual(Buffer.from('next'))
  })

  test('fail for all requests that share them, and are tried again by the next', async () => {
    const database = aDatabase()
    const reads = new ColdReads({ read: database.read })
    const content = aContent(100 * kibibyte)
    const answers = Promise.allSettled([reads.read(content, aReader()), reads.read(content, aReader())])
    await settle()
    database.asked[0]?.reject(gone)
    expect((await answers).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    const again = reads.read(content, aReader())
    await settle()
    database.asked[1]?.resolve(Buffer.from('again'))
    expect(await again).toEqual(Buffer.from('again'))
  })
})
