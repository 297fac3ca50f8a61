/** HUP on a running registry: a renewed certificate, another log level, and settings that need a restart. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { expect, test } from 'vitest'
import { createCertificate } from '../support/content/certificate.ts'
import { eventually } from '../support/eventually.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'

function fingerprintAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

test('serves a renewed certificate after HUP, and continues to serve', async () => {
  await using folder = await tempFolder()
  const [cert, key, config] = ['tls.crt', 'tls.key', 'lading.yaml'].map((name) =>
    join(folder.path, name),
  ) as [string, string, string]
  const renew = (): string => {
    const made = createCertificate()
    writeFileSync(cert, made.cert)
    writeFileSync(key, made.key)
    return made.fingerprint
  }
  const first = renew()
  writeFileSync(config, 'log:\n  level: info\n')
  const env = { LADING_HTTP_TLS_CERT: cert, LADING_HTTP_TLS_KEY: key }
  await using registry = await startRegistry({ env, args: ['--config', config] })
  expect(registry.url).toMatch(/^https:/)
  expect(await fingerprintAt(registry.port)).toBe(first)
  const second = renew()
  writeFileSync(config, 'log:\n  level: debug\ndelete:\n  enabled: false\n')
  process.kill(registry.pid, 'SIGHUP')
  await eventually(
    () => fingerprintAt(registry.port),
    (found) => found === second,
  )
  // Both lines are written after the certificate is in use, and the pipe may delay them.
  for (const line of ['"logLevel":"debug"', '"keys":["delete.enabled"]']) {
    await eventually(
      () => registry.stdout,
      (text) => text.includes(line),
    )
  }
  await registry.stop()
})
