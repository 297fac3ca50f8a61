/** A registry with TLS and users, for the clients that send a password only over TLS. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { createCertificate } from '../support/content/certificate.ts'
import { findFreePort } from '../support/processes/free-port.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import { startWithUsers } from './accounts.ts'

export interface TlsRegistry extends AsyncDisposable {
  readonly registry: RunningRegistry
  /** The path of the self-signed certificate. */
  readonly certificate: string
}

/** `name` is the host that the certificate names. Knows its own URL, so that each `Location` is absolute: some clients ask for it as it stands. */
export async function startTlsRegistry(name = '127.0.0.1'): Promise<TlsRegistry> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder('tls'))
  const [certificate, key] = [join(folder.path, 'tls.crt'), join(folder.path, 'tls.key')]
  const made = createCertificate(name === '127.0.0.1' ? undefined : name)
  await writeFile(certificate, made.cert)
  await writeFile(key, made.key, { mode: 0o600 })
  const port = String(await findFreePort())
  const registry = stack.use(
    await startWithUsers({
      LADING_HTTP_PORT: port,
      LADING_HTTP_PUBLIC_URL: `https://${name}:${port}`,
      LADING_HTTP_TLS_CERT: certificate,
      LADING_HTTP_TLS_KEY: key,
    }),
  )
  const resources = stack.move()
  return { registry, certificate, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
