import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { digestOf } from '../support/content/random.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { alice, bob, setVisibility, startWithUsers } from './accounts.ts'
import type { ClientAtHome } from './client-at-home.ts'
import { aClientAtHome } from './client-at-home.ts'
import { builtClient } from './client-programs.ts'
import { askAs } from './pulled-content.ts'
import type { Credentials } from './run-client.ts'

const program = await builtClient('helm', 'version', '--template', '{{.Version}}')
const plainHttp = '--plain-http'
let registry: RunningRegistry

beforeAll(async () => {
  registry = await startWithUsers()
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
})

async function start(): Promise<ClientAtHome> {
  const helm = await aClientAtHome(program, { url: registry.url })
  await login(helm, alice)
  return helm
}

function login(helm: ClientAtHome, { name, password }: Credentials): Promise<string> {
  const user = ['--username', name, '--password-stdin']
  return helm.tell(password, 'registry', 'login', plainHttp, ...user, helm.host)
}

interface HelmManifest {
  readonly config: { readonly mediaType: string }
  readonly layers: readonly { readonly mediaType: string; readonly digest: string }[]
}

const template = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-greeting
data:
  greeting: {{ .Values.greeting | quote }}
`

/** Packages a chart. Returns the name of its file. */
async function packageChart(helm: ClientAtHome, version: string): Promise<string> {
  const chart = join(helm.home, 'hello')
  await mkdir(join(chart, 'templates'), { recursive: true })
  await writeFile(join(chart, 'Chart.yaml'), `apiVersion: v2\nname: hello\nversion: ${version}\n`)
  await writeFile(join(chart, 'values.yaml'), 'greeting: hello world\n')
  await writeFile(join(chart, 'templates/greeting.yaml'), template)
  await helm.run('package', 'hello')
  return `hello-${version}.tgz`
}

/** Pulls a chart into its own folder. */
async function pull(helm: ClientAtHome, chart: string, ...flags: readonly string[]): Promise<void> {
  await mkdir(join(helm.home, 'pulled'), { recursive: true })
  await helm.run('pull', plainHttp, '--destination', 'pulled', ...flags, chart)
}

async function expectSameFile(helm: ClientAtHome, pushed: string, pulled: string): Promise<void> {
  const [before, after] = [pushed, pulled].map((path) => readFile(join(helm.home, path)))
  expect(await after).toEqual(await before)
}

describe('helm', () => {
  test('logs in only with the right password, and reports why it may not pull', async () => {
    await using helm = await aClientAtHome(program, { url: registry.url })
    const chart = await packageChart(helm, '1.0.0')
    const push = () => helm.run('push', plainHttp, chart, `oci://${helm.host}/alice/login`)
    const pullChart = () => pull(helm, `oci://${helm.host}/alice/login/hello`)

    await expect(login(helm, { ...alice, password: 'wrong' })).rejects.toThrow(
      'unauthorized: incorrect name or password',
    )
    await expect(push()).rejects.toThrow(/401/)
    await login(helm, bob)
    await expect(push()).rejects.toThrow(/401/)
    await login(helm, alice)
    await push()

    await helm.run('registry', 'logout', helm.host)
    await expect(pullChart()).rejects.toThrow('log in')
    await setVisibility(registry, 'alice/login/hello', 'public')
    await pullChart()
    await expectSameFile(helm, chart, `pulled/${chart}`)
  })

  test('pushes a chart with its provenance and pulls both with every byte', async () => {
    await using helm = await start()
    const chart = await packageChart(helm, '1.2.3')
    await writeFile(join(helm.home, `${chart}.prov`), 'as if it were signed')
    const charts = `oci://${helm.host}/alice/charts`

    await helm.run('push', plainHttp, chart, charts)
    await pull(helm, `${charts}/hello`, '--prov', '--version', '1.2.3')

    for (const file of [chart, `${chart}.prov`]) await expectSameFile(helm, file, `pulled/${file}`)
    const manifest = await askAs(alice, `${registry.url}/v2/alice/charts/hello/manifests/1.2.3`)
    const type = 'application/vnd.cncf.helm'
    const { config, layers } = manifest.json() as HelmManifest
    const digest = digestOf(await readFile(join(helm.home, chart)))
    expect(config.mediaType).toBe(`${type}.config.v1+json`)
    expect(layers).toContainEqual(
      expect.objectContaining({ mediaType: `${type}.chart.content.v1.tar+gzip`, digest }),
    )
    expect(layers.map(({ mediaType }) => mediaType)).toContain(`${type}.chart.provenance.v1.prov`)
  })

  test('shows and renders a chart in the registry, by version or by digest', async () => {
    await using helm = await start()
    const chart = await packageChart(helm, '2.0.0')
    await helm.run('push', plainHttp, chart, `oci://${helm.host}/alice/rendered`)
    const hello = `oci://${helm.host}/alice/rendered/hello`

    expect(await helm.run('show', 'chart', plainHttp, hello, '--version', '2.0.0')).toContain('name: hello')
    const rendered = await helm.run('template', plainHttp, 'mine', hello, '--set', 'greeting=good morning')
    expect(rendered).toContain('name: mine-greeting')
    expect(rendered).toContain('greeting: "good morning"')

    const { headers } = await askAs(alice, `${registry.url}/v2/alice/rendered/hello/manifests/2.0.0`)
    const byDigest = `${hello}@${String(headers['docker-content-digest'])}`
    expect(await helm.run('template', plainHttp, 'mine', byDigest)).toContain('greeting: "hello world"')
  })

  test('chooses the newest version that a range allows from the tags', async () => {
    await using helm = await start()
    const charts = `oci://${helm.host}/alice/versions`
    for (const version of ['1.0.0', '1.9.0', '1.10.0', '2.0.0', '2.1.0-rc.1']) {
      await helm.run('push', plainHttp, await packageChart(helm, version), charts)
    }
    const versionOf = async (...range: readonly string[]) =>
      /^version: (.*)$/m.exec(await helm.run('show', 'chart', plainHttp, `${charts}/hello`, ...range))?.[1]

    expect(await versionOf('--version', '^1.0.0')).toBe('1.10.0')
    expect(await versionOf()).toBe('2.0.0')
    expect(await versionOf('--devel')).toBe('2.1.0-rc.1')
    await expect(versionOf('--version', '3.0.0')).rejects.toThrow(/not found/)
  })

  test('keeps the build of a version, which a tag cannot contain', async () => {
    await using helm = await start()
    const chart = await packageChart(helm, '1.0.0+build.7')
    const charts = `oci://${helm.host}/alice/builds`

    await helm.run('push', plainHttp, chart, charts)
    await pull(helm, `${charts}/hello`, '--version', '1.0.0+build.7')

    const tags = await askAs(alice, `${registry.url}/v2/alice/builds/hello/tags/list`)
    expect(tags.json()).toMatchObject({ tags: ['1.0.0_build.7'] })
    await expectSameFile(helm, chart, `pulled/${chart}`)
  })

  test('builds a chart with a dependency from the registry', async () => {
    await using helm = await start()
    const chart = await packageChart(helm, '1.1.0')
    await helm.run('push', plainHttp, chart, `oci://${helm.host}/alice/parts`)
    const parent = join(helm.home, 'parent')
    await mkdir(join(parent, 'templates'), { recursive: true })
    const dependency = `- {name: hello, version: ^1.0.0, repository: "oci://${helm.host}/alice/parts"}`
    await writeFile(
      join(parent, 'Chart.yaml'),
      `apiVersion: v2\nname: parent\nversion: 1.0.0\ndependencies:\n${dependency}\n`,
    )

    await helm.run('dependency', 'update', plainHttp, 'parent')

    await expectSameFile(helm, chart, `parent/charts/${chart}`)
  })
})
