/** The tables of the content of repositories: blobs, manifests, tags and uploads. */
import type { Generated } from 'kysely'

export interface BlobTable {
  digest: string
  storage_key: string
  size: number
  created_at: number
  linked: 0 | 1
}

export interface BlobLinkTable {
  repository_id: number
  digest: string
  linked_at: number
  /**
   * Reads ignore a `hidden` link, and a push of a manifest that references the blob makes it `live` again. The
   * collection of unused links (issue 16) will set it; until then only its tests do.
   */
  state: 'live' | 'hidden'
}

export interface DeadKeyTable {
  storage_key: string
  digest: string | null
  since: number
  attempts: Generated<number>
  retry_at: Generated<number>
}

export interface ManifestTable {
  id: Generated<number>
  repository_id: number
  digest: string
  media_type: string
  artifact_type: string | null
  subject_digest: string | null
  size: number
  platform: string | null
  pushed_by: string
  created_at: number
  pushed_at: number
  descriptor: string
}

export interface ManifestContentTable {
  digest: string
  bytes: Uint8Array
}

export interface ManifestBlobTable {
  repository_id: number
  manifest_id: number
  position: number
  blob_digest: string
  role: 'config' | 'layer' | 'entry'
  media_type: string
  size: number
}

export interface ManifestChildTable {
  repository_id: number
  index_id: number
  position: number
  child_digest: string
  platform: string | null
}

export interface PropertyTable {
  id: Generated<number>
  ref_type: 'manifest'
  ref_id: number
  name: string
  value: string
}

export interface TagTable {
  repository_id: number
  name: string
  digest: string
  created_at: number
  updated_at: number
}

export interface UploadTable {
  id: string
  repository: string
  principal: string
  holder: string | null
  storage_key: string
  generation: number
  writer: string | null
  segments: string
  byte_offset: number
  hash_algorithm: 'sha256' | 'sha512' | null
  hash_offset: number | null
  hash_digest: string | null
  hash_state: Uint8Array | null
  created_at: number
  touched_at: number
}

export interface ContentTables {
  blob: BlobTable
  blob_link: BlobLinkTable
  dead_key: DeadKeyTable
  manifest: ManifestTable
  manifest_content: ManifestContentTable
  manifest_blob: ManifestBlobTable
  manifest_child: ManifestChildTable
  property: PropertyTable
  tag: TagTable
  upload: UploadTable
}
