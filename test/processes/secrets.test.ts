/** Secrets in the configuration, the environment and requests of a running registry: no output contains them. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runLading } from '../support/processes/run-lading.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'

const planted = (what: string): string => `hunter2-${what}-hunter2`

test('G1: secrets of configuration, environment and requests appear in no log, error or metric', async () => {
  await using folder = await tempFolder()
  const dataDir = join(folder.path, 'data')
  mkdirSync(dataDir)
  const passwordFile = join(folder.path, 'password')
  writeFileSync(passwordFile, `${planted('password')}\n`)
  writeFileSync(join(dataDir, 'lading.yaml'), `metrics:\n  token: ${planted('metrics')}\n`)
  const env = {
    LADING_ADMIN_PASSWORD_FILE: passwordFile,
    LADING_AUTH_REFRESH_TOKENS: 'true',
    LADING_AUTH_ANONYMOUS: 'pull',
    LADING_LOG_LEVEL: 'trace',
  }
  const answers: string[] = []
  await using registry = await startRegistry({ dataDir, env })
  const ask = async (path: string, init?: RequestInit): Promise<string> => {
    const answer = await fetch(`${registry.url}${path}`, init)
    const text = await answer.text()
    answers.push(JSON.stringify([...answer.headers]), text)
    return text
  }
  const login = (name: string, password: string) => ({
    headers: { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` },
  })
  await ask('/v2/', login('admin', planted('wrong')))
  await ask('/v2/', login(planted('name'), planted('wrong')))
  await ask('/v2/', login('admin', planted('password')))
  await ask('/v2/', { headers: { authorization: `Bearer ${planted('token')}` } })
  await ask('/v2/', { headers: { authorization: planted('nonsense'), cookie: planted('cookie') } })
  await ask(`/v2/token?service=lading&account=${planted('account')}`, login('admin', planted('wrong')))
  const form = (fields: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(fields) })
  await ask('/v2/token', form({ grant_type: 'password', username: 'admin', password: planted('form') }))
  await ask('/v2/token', form({ grant_type: 'refresh_token', refresh_token: planted('refresh') }))
  await ask(`/v2/admin/x/blobs/uploads/?token=${planted('query')}`, { method: 'POST' })
  await ask('/metrics', { headers: { authorization: `Bearer ${planted('wrong-metrics')}` } })
  const issued = JSON.parse(
    await (
      await fetch(
        `${registry.url}/v2/token?offline_token=true&service=lading`,
        login('admin', planted('password')),
      )
    ).text(),
  ) as { token: string; refresh_token: string }
  await ask('/v2/_catalog', { headers: { authorization: `Bearer ${issued.token}` } })
  await ask('/v2/token', form({ grant_type: 'refresh_token', refresh_token: planted('refresh') }))
  const metrics = await ask('/metrics', { headers: { authorization: `Bearer ${planted('metrics')}` } })
  expect(metrics).toContain('lading_logins_total')
  const secrets = [issued.token, issued.refresh_token]
  const command = { env: { LADING_DATA: dataDir, ...env, LADING_METRICS_TOKEN: planted('metrics') } }
  const files = { [passwordFile]: readFileSync(passwordFile, 'utf8') }
  const made = await runLading(`token create admin --json --port ${registry.port}`, { ...command, files })
  const { secret: accessToken } = made.json() as { secret: string }
  for (const name of ['admin', planted('name')]) await ask('/v2/', login(name, accessToken))
  await ask('/v2/_catalog', { headers: { authorization: `Bearer ${accessToken}` } })
  await ask('/v2/token', form({ grant_type: 'password', username: 'eve', password: accessToken }))
  secrets.push(accessToken, btoa(`admin:${accessToken}`))
  for (const line of [
    'config print',
    'config print --json',
    'doctor',
    'user list',
    'token list',
    'refresh-token list',
    'audit search --json',
    'keys list --json',
  ]) {
    const { code, out, err } = await runLading(`${line} --port ${registry.port}`, { ...command, files })
    expect(code, `${line}: ${err}`).toBe(0)
    answers.push(out, err)
  }
  await registry.stop()
  const said = [...answers, registry.stdout, registry.stderr].join('\n')
  expect(said).not.toContain('hunter2')
  for (const secret of secrets) expect(said).not.toContain(secret)
  expect(said).not.toMatch(/aHVudGVyMi/)
  expect(registry.stdout).toContain('"path":"/v2/token"')
})
