/** The paths in the data folder, for code that inspects it from outside. */
import { join } from 'node:path'
import { blobPath, createLayout } from '../blob-store/filesystem/layout.ts'
import type { Config } from '../config/schema.ts'
import type { BlobLocation } from '../metadata/content/blobs.ts'

type DataFolder = Pick<Config, 'data'>

export function databaseFile({ data }: DataFolder): string {
  return join(data, 'lading.db')
}

export function storeFolder({ data }: DataFolder): string {
  return join(data, 'store')
}

export function blobFile(
  config: DataFolder,
  { digest, storageKey }: Pick<BlobLocation, 'digest' | 'storageKey'>,
): string {
  return blobPath(createLayout(storeFolder(config)), { key: storageKey, digest })
}

/** The password file of the administrator that the first start created; removed when that password first changes. */
export function initialPasswordFile({ data }: DataFolder): string {
  return join(data, 'admin-password')
}
