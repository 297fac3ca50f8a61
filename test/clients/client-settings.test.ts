/** The settings that docs/clients.md shows let clients reach a registry without TLS, and one with a certificate of its own. */
import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

import { anOciLayout } from '../support/content/oci-layout.ts'
import { alice, startWithUsers } from './accounts.ts'
import { containerdKinds, startContainerds } from './containerd.ts'
import { startEngine } from './docker-engine.ts'
import { aPrivateEtc } from './private-etc.ts'
import type { PrivateEtc } from './private-etc.ts'
import { aPodman } from './run-client.ts'
import { startTlsRegistry } from './tls-registry.ts'

const name = 'registry.example.com'

interface Sample {
  /** The last file of `/etc` that the text before it names. */
  readonly path: string
  readonly language: string
  readonly text: string
}

const containerds = await startContainerds({ kinds: containerdKinds.slice(0, 1) })
afterAll(async () => {
  for (const { started } of containerds) await started[Symbol.asyncDispose]()
})

/** The samples below a heading, for a registry at a port. */
async function readSamples(heading: string, port = 5000): Promise<readonly Sample[]> {
  const page = await readFile(join(import.meta.dirname, '../../docs/clients.md'), 'utf8')
  const [section = ''] = page.slice(page.indexOf(`\n## ${heading}\n`) + 1).split(/\n(?=## )/)
  const samples: Sample[] = []
  for (const [, before = '', language = '', text = ''] of section.matchAll(
    /([\s\S]*?)```(\w+)\n([\s\S]*?)```/g,
  )) {
    const atPort = (sample: string) => sample.replaceAll(`${name}:5000`, `${name}:${port}`)
    const path = /`(\/etc\/[^`]+\.\w+)`/.exec(before)?.[1] ?? samples.at(-1)?.path ?? ''
    samples.push({ path: atPort(path), language, text: atPort(text) })
  }
  return samples
}

async function install(etc: PrivateEtc, samples: readonly Sample[]): Promise<void> {
  for (const { path, language, text } of samples) {
    if (language === 'sh') await etc.run(text.replaceAll('sudo ', ''))
    else await etc.write(path, text)
  }
}

/** Pushes with skopeo, and pulls with podman and containerd, without a flag about TLS. */
async function useClients(etc: PrivateEtc, host: string): Promise<void> {
  await using layout = await anOciLayout({ platforms: ['linux/amd64'] })
  await using podman = await aPodman()
  const image = `${host}/alice/web:v1`
  const login = ['login', '-u', alice.name, '--password-stdin', host].join(' ')
  for (const client of ['skopeo', 'podman'])
    await etc.run(`${client} ${login}`, { env: podman.env, stdin: alice.password })
  await etc.run(`skopeo copy --all oci:${layout.path}:v1 docker://${image}`, { env: podman.env })
  await etc.run(`podman pull --quiet ${image}`, { env: podman.env })
  for (const { started } of containerds) {
    const flags = `--hosts-dir /etc/containerd/certs.d --user '${alice.name}:${alice.password}'`
    await etc.run(`ctr --address ${started.address} images pull ${flags} ${image}`)
  }
}

test('reach a registry without TLS', async () => {
  await using registry = await startWithUsers()
  await using etc = await aPrivateEtc(name)
  const host = `${name}:${registry.port}`
  await expect(useClients(etc, host)).rejects.toThrow('server gave HTTP response to HTTPS client')
  await install(etc, await readSamples('Plain HTTP', registry.port))
  await useClients(etc, host)
})

test('reach a registry with a certificate of its own', async () => {
  await using tls = await startTlsRegistry(name)
  await using etc = await aPrivateEtc(name)
  const host = `${name}:${tls.registry.port}`
  await copyFile(tls.certificate, join(etc.folder, 'ca.crt'))
  await expect(useClients(etc, host)).rejects.toThrow(/x509|certificate/)
  await install(etc, await readSamples('A certificate of your own', tls.registry.port))
  await useClients(etc, host)
})

test('let docker use plain HTTP', async () => {
  const samples = await readSamples('Plain HTTP')
  const { text = '' } = samples.find(({ path }) => path === '/etc/docker/daemon.json') ?? {}
  const settings = JSON.parse(text) as Record<string, unknown>
  await using engine = await startEngine({ name: 'docker', containerdStore: false }, [], settings)
  await using client = await engine.client()
  const registries = JSON.parse(await client.run('info', '--format', '{{json .RegistryConfig.IndexConfigs}}'))
  expect(registries).toMatchObject({ [`${name}:5000`]: { Secure: false } })
})

test('lead containerd to its folder', async () => {
  const [newer, older] = await readSamples("containerd's folder")
  expect(newer?.text).toContain('config_path = "/etc/containerd/certs.d"')
  await using etc = await aPrivateEtc(name)
  await etc.write('/etc/containerd/config.toml', older?.text ?? '')
  const dump = await etc.run('containerd --config /etc/containerd/config.toml config dump')
  expect(dump).toContain('config_path = "/etc/containerd/certs.d"')
})
