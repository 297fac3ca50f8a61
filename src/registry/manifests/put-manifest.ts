/**
 * Accepts a manifest: parses it, reads its config up to a maximum size, then runs one transaction that pins the content that the
 * manifest names and inserts the manifest with its tags, references, properties and audit events. There is no lock per image,
 * because children of one index are pushed in parallel.
 */
import { principalId } from '../../identity/principal.ts'
import { partyOfCaller } from '../caller.ts'
import type { Transaction } from '../../metadata/handles.ts'
import { insertManifest, type NewManifest } from '../../metadata/content/manifests.ts'
import { putTag } from '../../metadata/content/tags.ts'
import { formatPlatform, type Descriptor } from '../../oci/descriptor.ts'
import { algorithmOf, digestBytes, type Digest } from '../../oci/digest.ts'
import type { ParsedManifest } from '../../oci/manifest/parse-manifest.ts'
import type { TagName } from '../../oci/tag-name.ts'
import { DigestMismatchError } from '../errors.ts'
import { checkTagRight, openRepository } from '../push-rights.ts'
import { recordChanges, type Change } from '../record-changes.ts'
import type { ManifestParser } from './manifest-parser.ts'
import { checkReferences, digestsOf, neededBlobs } from './check-references.ts'
import type { ManifestDeps, PutManifestRequest, PutManifestResult } from './manifest-types.ts'
import { listDamagedBlobs } from './damaged-blobs.ts'
import { findConfig } from './find-config.ts'
import { checkTagCondition } from './tag-condition.ts'

export interface PutManifestDeps extends ManifestDeps {
  readonly parser: ManifestParser
}

export async function putManifest(
  deps: PutManifestDeps,
  request: PutManifestRequest,
): Promise<PutManifestResult> {
  const { repository, bytes, contentType } = request
  const digest = checkDigest(request)
  const tags = tagsOf(request)
  const parsed = await deps.parser.parse({ bytes, contentType, party: partyOfCaller(request.caller) })
  const isStrict = deps.references.blobs === 'strict'
  const damaged = isStrict ? await listDamagedBlobs(deps, digestsOf(neededBlobs(parsed))) : []
  const row = await describeManifest(deps, request, { digest, parsed })
  await deps.metadata.transact(async (tx) => {
    const now = deps.clock.now()
    const { caller } = request
    const { id: repositoryId } = await openRepository(deps, tx, { name: repository, caller, now })
    await checkConditions(tx, { repositoryId, tags, condition: request.condition })
    await checkReferences(deps, tx, { repository, repositoryId, digest, parsed, damaged, now })
    await insertManifest(tx, { ...row, repositoryId, now })
    const moved = await moveTags(tx, { repositoryId, tags, digest, now })
    for (const { tag, before } of moved) checkTagRight(caller, { repository, tag, before })
    await recordChanges(deps, tx, {
      repository,
      caller,
      changes: [{ kind: 'manifest.push', after: digest }, ...moved],
    })
  })
  deps.health.noteIntact(digest)
  const size = row.blobs.reduce((sum, blob) => sum + blob.size, bytes.length)
  return { digest, subject: parsed.subject?.digest, tags, size }
}

/** Returns the digest: sha256 for a push by tag, otherwise the client's digest, checked in its algorithm. */
function checkDigest({ reference, bytes }: PutManifestRequest): Digest {
  if (reference.kind === 'tag') return digestBytes(bytes)
  const actual = digestBytes(bytes, algorithmOf(reference.digest))
  if (actual === reference.digest) return actual
  throw new DigestMismatchError({ expected: reference.digest, actual, size: bytes.length })
}

function tagsOf({ reference, tags }: PutManifestRequest): readonly TagName[] {
  return reference.kind === 'tag' ? [reference.tag] : [...new Set(tags)]
}

type ManifestRow = Omit<NewManifest, 'repositoryId' | 'now'>

async function describeManifest(
  deps: PutManifestDeps,
  request: PutManifestRequest,
  { digest, parsed }: { digest: Digest; parsed: ParsedManifest },
): Promise<ManifestRow> {
  const { bytes, repository } = request
  const pushedBy = principalId(request.caller.principal)
  const config = await findConfig(deps, repository, parsed.config)
  const properties = await deps.parser.extractProperties({
    manifest: parsed,
    config,
    party: partyOfCaller(request.caller),
  })
  const { mediaType, artifactType, annotations } = parsed
  const descriptor = {
    mediaType,
    digest,
    size: bytes.length,
    ...(artifactType !== undefined && { artifactType }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  }
  return {
    digest,
    mediaType,
    artifactType,
    subject: parsed.subject?.digest,
    size: bytes.length,
    platform: properties.find((property) => property.name === 'platform')?.value,
    bytes,
    descriptor: JSON.stringify(descriptor),
    pushedBy,
    blobs: blobReferences(parsed),
    children: parsed.children.map((child) => ({
      digest: child.digest,
      platform: child.platform && formatPlatform(child.platform),
    })),
    properties,
  }
}

function blobReferences(parsed: ParsedManifest): NewManifest['blobs'] {
  const asRole = (role: 'config' | 'layer' | 'entry') => {
    return ({ digest, mediaType, size }: Descriptor) => ({ digest, mediaType, size, role })
  }
  return [
    ...(parsed.config === undefined ? [] : [asRole('config')(parsed.config)]),
    ...parsed.layers.map(asRole('layer')),
    ...parsed.blobEntries.map(asRole('entry')),
  ]
}

async function checkConditions(
  tx: Transaction,
  put: { repositoryId: number; tags: readonly TagName[]; condition: PutManifestRequest['condition'] },
): Promise<void> {
  const { repositoryId, tags, condition } = put
  if (condition === undefined) return
  for (const name of tags) await checkTagCondition(tx, { repositoryId, name }, condition)
}

type MovedTag = Change & { readonly tag: TagName; readonly before: Digest | undefined }

/** Moves each tag; returns the changes for the audit. */
async function moveTags(
  tx: Transaction,
  put: { repositoryId: number; tags: readonly TagName[]; digest: Digest; now: number },
): Promise<MovedTag[]> {
  const { repositoryId, tags, digest, now } = put
  const moved: MovedTag[] = []
  for (const name of tags) {
    const { before } = await putTag(tx, { repositoryId, name, digest, now })
    if (before === digest) continue
    moved.push({ kind: before === undefined ? 'tag.create' : 'tag.move', tag: name, before, after: digest })
  }
  return moved
}
