import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createCertificate } from '../../test/support/content/certificate.ts'
import { tempFolder } from '../../test/support/processes/temp-folder.ts'
import { readTlsFiles } from './tls-files.ts'

describe('readTlsFiles', () => {
  test('reads a pair, and nothing when TLS is off', async () => {
    await using folder = await tempFolder()
    const [cert, key] = [join(folder.path, 'tls.crt'), join(folder.path, 'tls.key')]
    const made = createCertificate()
    writeFileSync(cert, made.cert)
    writeFileSync(key, made.key)
    expect(readTlsFiles({ cert, key })).toEqual({ cert: made.cert, key: made.key })
    expect(readTlsFiles({})).toBeUndefined()
  })

  test('G1: names the key of the configuration, and quotes no file', async () => {
    await using folder = await tempFolder()
    const [cert, key] = [join(folder.path, 'tls.crt'), join(folder.path, 'tls.key')]
    expect(() => readTlsFiles({ cert, key })).toThrow(/^http\.tls\.cert: cannot read the file \(ENOENT/)
    writeFileSync(cert, createCertificate().cert)
    writeFileSync(key, 'hunter2')
    expect(() => readTlsFiles({ cert, key })).toThrow(
      /^http\.tls\.key: cannot parse .*tls\.key; it must be PEM/,
    )
    expect(() => readTlsFiles({ cert, key })).not.toThrow(/hunter2/)
    expect(() => readTlsFiles({ cert: key, key })).toThrow(/^http\.tls\.cert: /)
    writeFileSync(key, createCertificate().key)
    expect(() => readTlsFiles({ cert, key })).toThrow('is not the key of the certificate in')
  })
})
