/**
 * @module
 * What every metadata driver must do, as a suite: call `describeMetadataContract` from a test file of the driver.
 * The database may hold rows of other runs; one instance serves the whole suite.
 */
/* oxlint-disable vitest/valid-title -- titles are the driver's and the aggregate's names */
import { afterAll, beforeAll, describe } from 'vitest'
import type { Metadata } from '../metadata.ts'
import { testAccounts, testRefreshTokens } from './accounts-contract.ts'
import { testAuditEvents } from './audit-contract.ts'
import { testBlobs } from './blobs-contract.ts'
import type { ContractSubject } from './contract-subject.ts'
import { testAccessTokens, testBrowserSessions, testRobots } from './credentials-contract.ts'
import { testGrantedNames, testGrants, testRoles } from './grants-contract.ts'
import { testKeys } from './keys-contract.ts'
import { testLeases } from './leases-contract.ts'
import { testLinks } from './links-contract.ts'
import { testManifests } from './manifests-contract.ts'
import { testMounts } from './mounts-contract.ts'
import { testMembers, testOwners } from './owners-contract.ts'
import { testReferrers } from './referrers-contract.ts'
import { testRenames } from './renames-contract.ts'
import { testRepositories } from './repositories-contract.ts'
import { testRepositoryDeletion } from './repository-deletion-contract.ts'
import { testSigningKeys } from './signing-keys-contract.ts'
import { testTags } from './tags-contract.ts'
import { testTokenLineages } from './token-lineage-contract.ts'
import { testTransactions } from './transactions-contract.ts'
import { testUploads } from './uploads-contract.ts'
import { testVisibility } from './visibility-contract.ts'

const suites: readonly (readonly [string, (subject: ContractSubject) => void])[] = [
  ['transactions', testTransactions],
  ['repositories', testRepositories],
  ['owners', testOwners],
  ['members and teams', testMembers],
  ['renames', testRenames],
  ['visibility', testVisibility],
  ['granted names', testGrantedNames],
  ['grants', testGrants],
  ['roles', testRoles],
  ['deletion of repositories', testRepositoryDeletion],
  ['blobs', testBlobs],
  ['blob links', testLinks],
  ['mounts', testMounts],
  ['storage keys', testKeys],
  ['uploads', testUploads],
  ['manifests', testManifests],
  ['tags', testTags],
  ['referrers', testReferrers],
  ['leases and installation', testLeases],
  ['accounts', testAccounts],
  ['refresh tokens', testRefreshTokens],
  ['robots', testRobots],
  ['access tokens', testAccessTokens],
  ['token lineages', testTokenLineages],
  ['browser sessions', testBrowserSessions],
  ['signing keys', testSigningKeys],
  ['audit events', testAuditEvents],
]

export function describeMetadataContract(name: string, open: () => Promise<Metadata>): void {
  describe(name, () => {
    let opened: Metadata | undefined
    beforeAll(async () => {
      opened = await open()
    }, 60_000)
    afterAll(async () => {
      await opened?.[Symbol.asyncDispose]()
    })
    const subject: ContractSubject = {
      metadata() {
        if (opened === undefined) throw new Error('the metadata is not open')
        return opened
      },
    }
    for (const [aggregate, defineTests] of suites) {
      describe(aggregate, () => {
        defineTests(subject)
      })
    }
  })
}
