import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createCertificate } from '../../../../test/support/content/certificate.ts'
import { runLading as run } from '../../../../test/support/processes/run-lading.ts'
import { tempFolder } from '../../../../test/support/processes/temp-folder.ts'

/** The files of a certificate and its key, and the key of another certificate. */
async function openTlsFiles() {
  const folder = await tempFolder()
  const paths = { cert: join(folder.path, 'tls.crt'), key: join(folder.path, 'tls.key') }
  const { cert, key } = createCertificate()
  writeFileSync(paths.cert, cert)
  writeFileSync(paths.key, key)
  const otherKey = join(folder.path, 'other.key')
  writeFileSync(otherKey, createCertificate().key)
  return { ...paths, otherKey, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

describe('config check', () => {
  test('exits with 0 for a valid configuration', async () => {
    expect(await run('config check')).toMatchObject({
      code: 0,
      out: 'there is no ./lading.yaml\nthe configuration is valid',
      err: '',
    })
  })

  test('exits with 1 and names the faults', async () => {
    const env = { LADING_HTTP_PORT: 'x' }
    expect(await run('config check', { env })).toMatchObject({
      code: 1,
      out: expect.stringContaining('http.port'),
    })
    expect(JSON.parse((await run('config check --json', { env })).out)).toMatchObject({ valid: false })
  })

  test('lists the files that it read, valid or not', async () => {
    const files = { './lading.yaml': 'data: ./data\n', '/run/secrets/password': 'correct horse\n' }
    const env = { LADING_ADMIN_PASSWORD_FILE: '/run/secrets/password' }
    const { out } = await run('config check', { env, files })
    expect(out).toBe('read ./lading.yaml\nread /run/secrets/password\nthe configuration is valid')
    const refused = await run('config check --port x --json', { env, files })
    expect(JSON.parse(refused.out)).toEqual({
      valid: false,
      files: [
        { path: './lading.yaml', found: true },
        { path: '/run/secrets/password', found: true },
      ],
      faults: [expect.stringContaining('http.port')],
    })
  })

  test('reports that the TLS files exist and belong together', async () => {
    await using tls = await openTlsFiles()
    const { code, out } = await run(`config check --http.tls.cert ${tls.cert} --http.tls.key ${tls.key}`)
    expect(code).toBe(0)
    expect(out).toBe(
      `there is no ./lading.yaml\nread ${tls.cert}\nread ${tls.key}\nthe TLS key belongs to the certificate\nthe configuration is valid`,
    )
  })

  test('names a missing TLS file, and the key of another certificate', async () => {
    await using tls = await openTlsFiles()
    const missing = await run(`config check --http.tls.cert ${tls.cert} --http.tls.key ${tls.key}.old`)
    expect(missing).toMatchObject({
      code: 1,
      out: expect.stringContaining('http.tls.key: cannot read the file (ENOENT'),
    })
    const other = await run(`config check --json --http.tls.cert ${tls.cert} --http.tls.key ${tls.otherKey}`)
    expect(other.code).toBe(1)
    expect(JSON.parse(other.out)).toMatchObject({
      valid: false,
      faults: [`http.tls.key: ${tls.otherKey} is not the key of the certificate in ${tls.cert}`],
    })
  })
})
