/** Images that tests build without a client, and helpers to push them to a registry with users. */
import type { TestManifest } from '../support/content/manifests.ts'
import type { OciLayout } from '../support/content/oci-layout.ts'
import type { Credentials } from './run-client.ts'
import { skopeoCopy } from './run-client.ts'

/** Returns `<name>:<password>`, the form that many command lines take. */
export function pair({ name, password }: Credentials): string {
  return `${name}:${password}`
}

/** Returns the header for requests that tests send themselves. */
export function basicAuth(credentials: Credentials): Readonly<Record<string, string>> {
  return { authorization: `Basic ${Buffer.from(pair(credentials)).toString('base64')}` }
}

/** Pushes a layout by skopeo, with everything that the index names; `target` is `<host>/<repository>:<tag>`. */
export async function pushLayout(
  layout: OciLayout,
  target: string,
  { as, format = 'oci' }: { readonly as: Credentials; readonly format?: 'oci' | 'v2s2' },
): Promise<void> {
  const flags = ['--dest-creds', pair(as), '--format', format]
  await skopeoCopy(`oci:${layout.path}:v1`, `docker://${target}`, ...flags)
}

/** Returns the digests of the image's layers before compression, from its config. */
export function diffIdsOf(image: TestManifest | undefined): readonly string[] {
  const config = image?.blobs[0]
  if (config === undefined) throw new Error('no image with a config')
  const { rootfs } = JSON.parse(config.bytes.toString('utf8')) as { rootfs: { diff_ids: string[] } }
  return rootfs.diff_ids
}
