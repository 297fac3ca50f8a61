import { describeMetadataContract } from './system/metadata-contract.ts'
import { openPgliteMetadata } from './open-pglite.ts'

describeMetadataContract('metadata in PGlite', openPgliteMetadata)
