/**
 * URLs that replies name, as absolute paths: right behind every proxy, and the only relative form that nearly all clients
 * resolve. `send-reply.ts` puts `http.publicUrl` in front of them where it is set, for the others. Names, digests and upload
 * ids hold nothing that needs escaping.
 */
import type { Digest } from '../../oci/digest.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'

export function blobLocation(repository: RepositoryName, digest: Digest): string {
  return `/v2/${repository}/blobs/${digest}`
}

export function manifestLocation(repository: RepositoryName, digest: Digest): string {
  return `/v2/${repository}/manifests/${digest}`
}

/** One stable URL per session: no state in it. */
export function uploadLocation(repository: RepositoryName, id: string): string {
  return `/v2/${repository}/blobs/uploads/${id}`
}
