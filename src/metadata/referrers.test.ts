import { describe, expect, test } from 'vitest'
import { systemClock } from '../lib/clock.ts'
import { Turns } from '../lib/turns.ts'
import { aDigest, createRepository, pushManifest } from './contract/builders.ts'
import { createTemporaryFolder } from './contract/temporary-folder.ts'
import { openSqliteMetadata } from './dialects/sqlite.ts'
import type { Reader } from './handles.ts'
import { listReferrers } from './referrers.ts'
import { createReader, databaseOf } from './sql/database.ts'
import type { Database } from './sql/database.ts'

/** Counts queries, and the characters of all texts that they return. */
function countingReader(reader: Reader) {
  const database = databaseOf(reader)
  const counts = { queries: 0, characters: 0 }
  const templates: Database['templates'] = {
    ...database.templates,
    all(template, parameters) {
      const rows = database.templates.all(template, parameters) as Record<string, unknown>[]
      const texts = rows.flatMap((row) => Object.values(row)).filter((value) => typeof value === 'string')
      counts.queries += 1
      counts.characters += texts.reduce((sum, text) => sum + text.length, 0)
      return rows
    },
  }
  return { counts, reader: createReader({ ...database, templates }) }
}

const page = { artifactTypes: [], limit: 1000, maxBytes: 3_000_000, withDescriptors: true } as const

describe('a page of referrers', () => {
  test('loads the descriptors of the page and no others, however large they are', async () => {
    await using folder = await createTemporaryFolder()
    await using metadata = await openSqliteMetadata({
      file: `${folder.path}/lading.db`,
      clock: systemClock,
      onFatal: (error) => {
        throw error
      },
    })
    const repository = await createRepository(metadata)
    const [large, small] = [aDigest(), aDigest()]
    const descriptor = JSON.stringify('x'.repeat(1_000_000))
    for (let count = 0; count < 12; count++)
      await pushManifest(metadata, repository, { subject: large, descriptor })
    for (let count = 0; count < 200; count++) {
      await pushManifest(metadata, repository, {
        subject: small,
        descriptor: JSON.stringify('x'.repeat(500)),
      })
    }
    const asked = { ...page, repository: repository.name, turns: new Turns() }

    const ofLarge = countingReader(metadata.reader)
    const { descriptors, next } = await listReferrers(ofLarge.reader, { ...asked, subject: large })
    expect(descriptors).toEqual([descriptor, descriptor])
    expect(next).toBeDefined()
    expect(ofLarge.counts).toEqual({ queries: 2, characters: 2 * descriptor.length })

    const sizes = countingReader(metadata.reader)
    await listReferrers(sizes.reader, { ...asked, subject: large, withDescriptors: false })
    expect(sizes.counts).toEqual({ queries: 1, characters: 0 })

    const ofSmall = countingReader(metadata.reader)
    expect((await listReferrers(ofSmall.reader, { ...asked, subject: small })).descriptors).toHaveLength(200)
    expect(ofSmall.counts.queries).toBe(1)
  })
})
