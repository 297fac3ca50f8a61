import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createCertificate } from '../../../../test/support/content/certificate.ts'
import { tempFolder } from '../../../../test/support/processes/temp-folder.ts'
import { loadConfig } from '../../../config/load.ts'
import type { Config } from '../../../config/schema.ts'
import type { TlsFiles } from '../../../config/tls-files.ts'
import { createLogger } from '../../../telemetry/logger.ts'
import { reloadConfig } from './reload.ts'

function configure(env: Record<string, string> = {}): Config {
  return loadConfig({ argv: [], env, readFile: () => undefined }).config
}

/** Starts with one configuration and reloads another. */
function reload(config: Config, load: () => Config) {
  const log: Record<string, unknown>[] = []
  const logger = createLogger({
    level: 'info',
    destination: { write: (line) => void log.push(JSON.parse(line)) },
  })
  const loaded: TlsFiles[] = []
  const app = { reloadTls: (files: TlsFiles) => void loaded.push(files) }
  reloadConfig({ app, logger, load, config })()
  return { log, loaded, level: logger.level, text: JSON.stringify(log) }
}

describe('a reload', () => {
  test('changes the level of the log, and names what needs a restart', () => {
    const next = configure({
      LADING_LOG_LEVEL: 'warn',
      LADING_HTTP_PORT: '5001',
      LADING_AUTH_ANONYMOUS: 'none',
    })
    const { level, log } = reload(configure(), () => next)
    expect(level).toBe('warn')
    expect(log).toMatchObject([{ level: 'warn', keys: ['auth.anonymous', 'http.port'] }])
  })

  test('G1: names a changed secret, and shows neither value', () => {
    const before = configure({ LADING_METRICS_TOKEN: 'hunter2-hunter2-hunter2' })
    const after = configure({ LADING_METRICS_TOKEN: 'hunter3-hunter3-hunter3' })
    const { log, text } = reload(before, () => after)
    expect(log[1]).toMatchObject({ keys: ['metrics.token'] })
    expect(text).not.toMatch(/hunter\d/)
  })

  test('does not mention unchanged keys', () => {
    const { log } = reload(configure(), () => configure())
    expect(log.map(({ msg }) => msg)).toEqual(['reloaded'])
  })

  test('changes nothing if the configuration has a fault', () => {
    const { log, level } = reload(configure(), () => configure({ LADING_LOG_LEVEL: 'loud' }))
    expect(level).toBe('info')
    expect(log).toMatchObject([{ level: 'error', msg: 'could not reload; nothing has changed' }])
  })

  test('reads the certificate again, even under another name', async () => {
    await using folder = await tempFolder()
    const write = (name: string) => {
      const [cert, key] = [join(folder.path, `${name}.crt`), join(folder.path, `${name}.key`)]
      const made = createCertificate()
      writeFileSync(cert, made.cert)
      writeFileSync(key, made.key)
      return { made, env: { LADING_HTTP_TLS_CERT: cert, LADING_HTTP_TLS_KEY: key } }
    }
    const [one, two] = [write('one'), write('two')]
    const renewed = write('one')
    expect(reload(configure(one.env), () => configure(one.env)).loaded).toEqual([
      { cert: renewed.made.cert, key: renewed.made.key },
    ])
    const moved = reload(configure(one.env), () => configure(two.env))
    expect(moved.loaded).toEqual([{ cert: two.made.cert, key: two.made.key }])
    expect(moved.log).toHaveLength(1)
  })

  test('keeps the old certificate if the new one does not match its key', async () => {
    await using folder = await tempFolder()
    const [cert, key] = [join(folder.path, 'tls.crt'), join(folder.path, 'tls.key')]
    writeFileSync(cert, createCertificate().cert)
    writeFileSync(key, createCertificate().key)
    const config = configure({ LADING_HTTP_TLS_CERT: cert, LADING_HTTP_TLS_KEY: key })
    const { loaded, log } = reload(config, () => config)
    expect(loaded).toEqual([])
    expect(log).toMatchObject([
      { level: 'error', err: { message: expect.stringContaining('is not the key of') } },
    ])
  })
})
