/** The contract of every blob store driver, as tests; one file per topic. */
import { describe } from 'vitest'
import { describeAside, describeBatches } from './aside-contract.ts'
import { describeCommit } from './commit-contract.ts'
import { describeInstallation, describeList, describeRemoval } from './keeping-contract.ts'
import { describeReading } from './reading-contract.ts'
import { describeSegments } from './segments-contract.ts'
import type { OpenStore } from './support.ts'

export function describeBlobStoreContract(name: string, openStore: OpenStore): void {
  describe(`${name} keeps the blob store contract`, () => {
    describeSegments(openStore)
    describeCommit(openStore)
    describeReading(openStore)
    describeRemoval(openStore)
    describeBatches(openStore)
    describeAside(openStore)
    describeList(openStore)
    describeInstallation(openStore)
  })
}
