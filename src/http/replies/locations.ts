/**
 * The URLs in replies, as absolute paths: correct behind every proxy, and the only relative form that nearly all
 * clients resolve. For the other clients, `send-reply.ts` puts `http.publicUrl` in front if it is set. Names, digests
 * and upload ids contain nothing that needs escaping.
 */
import type { Digest } from '../../oci/digest.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'

export function blobLocation(repository: RepositoryName, digest: Digest): string {
  return `/v2/${repository}/blobs/${digest}`
}

export function manifestLocation(repository: RepositoryName, digest: Digest): string {
  return `/v2/${repository}/manifests/${digest}`
}

/** Returns the URL of a session, which is stable and contains no state. */
export function uploadLocation(repository: RepositoryName, id: string): string {
  return `/v2/${repository}/blobs/uploads/${id}`
}
