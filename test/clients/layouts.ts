/** Images that tests build without a client, and how they get into a registry with users. */
import type { TestManifest } from '../support/manifests.ts'
import type { OciLayout } from '../support/oci-layout.ts'
import type { Credentials } from './run-client.ts'
import { skopeoCopy } from './run-client.ts'

/** `<name>:<password>`, as many command lines want it. */
export function pair({ name, password }: Credentials): string {
  return `${name}:${password}`
}

/** The header of a request that the tests make themselves. */
export function basicAuth(credentials: Credentials): Readonly<Record<string, string>> {
  return { authorization: `Basic ${Buffer.from(pair(credentials)).toString('base64')}` }
}

/** By skopeo, with everything that the index names; `target` is `<host>/<repository>:<tag>`. */
export async function pushLayout(
  layout: OciLayout,
  target: string,
  { as, format = 'oci' }: { readonly as: Credentials; readonly format?: 'oci' | 'v2s2' },
): Promise<void> {
  const flags = ['--dest-creds', pair(as), '--format', format]
  await skopeoCopy(`oci:${layout.path}:v1`, `docker://${target}`, ...flags)
}

/** The digests of the image's layers before compression, as its config tells them. */
export function diffIdsOf(image: TestManifest | undefined): readonly string[] {
  const config = image?.blobs[0]
  if (config === undefined) throw new Error('there is no image with a config')
  const { rootfs } = JSON.parse(config.bytes.toString('utf8')) as { rootfs: { diff_ids: string[] } }
  return rootfs.diff_ids
}
