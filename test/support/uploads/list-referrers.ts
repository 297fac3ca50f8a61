/**
 * @module A program that `large-referrers.test.ts` runs with a small heap: opens the given database, follows the pages of
 * referrers as the registry lists them, and prints their number.
 */
import { systemClock } from '../../../src/lib/clock.ts'
import { openSqliteMetadata } from '../../../src/metadata/dialects/sqlite/sqlite.ts'
import { parseDigest } from '../../../src/oci/digest.ts'
import { parseRepositoryName } from '../../../src/oci/repository-name.ts'
import { createReferrers } from '../../../src/registry/referrers.ts'

const [file = '', name = '', subject = ''] = process.argv.slice(2)
await using metadata = await openSqliteMetadata({
  file,
  clock: systemClock,
  onFatal: (error) => {
    throw error
  },
})
const referrers = createReferrers(metadata)
const query = { artifactTypes: [], limit: 1_000 }
let count = 0
let cursor: number | undefined
do {
  const page = await referrers.list(parseRepositoryName(name), parseDigest(subject), { ...query, cursor })
  count += page.descriptors.length
  cursor = page.next
} while (cursor !== undefined)
process.stdout.write(`${count}\n`)
