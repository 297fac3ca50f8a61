/**
 * @module
 * The contract of every metadata driver, as a suite: call `describeMetadataContract` from a test file of the driver. The
 * database may have rows of other runs; one instance serves the whole suite.
 */
/* oxlint-disable vitest/valid-title -- titles are the driver's and the aggregate's names */
import { afterAll, beforeAll, describe } from 'vitest'
import type { Metadata } from '../../metadata.ts'
import { testAccounts, testRefreshTokens } from '../identity/accounts-contract.ts'
import { testAuditEvents } from '../audit/audit-contract.ts'
import { testBlobs } from '../content/blobs-contract.ts'
import type { ContractSubject } from '../contract-subject.ts'
import { testAccessTokens, testBrowserSessions, testRobots } from '../identity/credentials-contract.ts'
import { testGrantedNames, testGrants, testRoles } from '../rights/grants-contract.ts'
import { testKeys } from './keys-contract.ts'
import { testLeases } from './leases-contract.ts'
import { testLinks } from '../content/links-contract.ts'
import { testManifests } from '../content/manifests-contract.ts'
import { testMounts } from '../content/mounts-contract.ts'
import { testMembers, testOwners } from '../owners/owners-contract.ts'
import { testReferrers } from '../content/referrers-contract.ts'
import { testRenames } from '../owners/renames-contract.ts'
import { testRepositories } from '../repositories/repositories-contract.ts'
import { testRepositoryDeletion } from '../repositories/repository-deletion-contract.ts'
import { testSigningKeys } from '../identity/signing-keys-contract.ts'
import { testTags } from '../content/tags-contract.ts'
import { testTokenLineages } from '../identity/token-lineage-contract.ts'
import { testTransactions } from './transactions-contract.ts'
import { testUploads } from '../content/uploads-contract.ts'
import { testVisibility } from '../repositories/visibility-contract.ts'

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
