import { parseArgs } from 'node:util'

export const usage = `npm run bench -- [options]
  --peer <name>=<url>       a running registry to compare with (repeatable)
  --start-distribution      start .tools/bin/registry as the peer "distribution" (see scripts/tools/go-tools.sh --peer)
  --subject <name>=<url>    measure this running registry instead of starting Lading
  --env LADING_X=value      setting for the Lading that is started (repeatable)
  --from dist|source        what is started: the build (default; built first) or the sources
  --auth                    measure anonymous, Basic and bearer requests of one Lading instead of peers
  --scenario <id>           only this scenario (repeatable)
  --rounds <n>              alternating rounds, at least 7 for a published figure (default 7)
  --seconds <n>             length of one round of small requests or pushes (default 2)
  --connections <n>         parallel connections of small requests and pushes (default 16)
  --upload-mib <n>          size of the large uploads (default 256)
  --download-mib <n>        size of the large GET (default 1024)
  --no-wrk                  use the built-in client even where wrk is installed
  --name <name>             name of the results file: bench/results/<date>-<name>.json; without it nothing is kept`

export interface NamedUrl {
  readonly name: string
  readonly url: string
}

export interface BenchOptions {
  readonly peers: readonly NamedUrl[]
  readonly startDistribution: boolean
  readonly auth: boolean
  readonly subject: NamedUrl | undefined
  readonly env: Readonly<Record<string, string>>
  readonly from: 'source' | 'dist'
  readonly scenarios: readonly string[]
  readonly rounds: number
  readonly durationMs: number
  readonly connections: number
  readonly uploadBytes: number
  readonly downloadBytes: number
  readonly useWrk: boolean
  readonly name: string | undefined
}

/** Parses the options. Throws with a sentence when an option is unknown or its value is invalid. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      peer: { type: 'string', multiple: true, default: [] },
      'start-distribution': { type: 'boolean', default: false },
      auth: { type: 'boolean', default: false },
      subject: { type: 'string' },
      env: { type: 'string', multiple: true, default: [] },
      from: { type: 'string', default: 'dist' },
      scenario: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string', default: '7' },
      seconds: { type: 'string', default: '2' },
      connections: { type: 'string', default: '16' },
      'upload-mib': { type: 'string', default: '256' },
      'download-mib': { type: 'string', default: '1024' },
      'no-wrk': { type: 'boolean', default: false },
      name: { type: 'string' },
    },
  })
  if (values.from !== 'dist' && values.from !== 'source') throw new Error('--from is dist or source')
  return {
    peers: values.peer.map((text) => namedUrl('--peer', text)),
    startDistribution: values['start-distribution'],
    auth: values.auth,
    subject: values.subject === undefined ? undefined : namedUrl('--subject', values.subject),
    env: environment(values.env),
    from: values.from,
    scenarios: values.scenario,
    rounds: positive('--rounds', values.rounds),
    durationMs: positive('--seconds', values.seconds) * 1000,
    connections: positive('--connections', values.connections),
    uploadBytes: positive('--upload-mib', values['upload-mib']) * 1024 * 1024,
    downloadBytes: positive('--download-mib', values['download-mib']) * 1024 * 1024,
    useWrk: !values['no-wrk'],
    name: values.name,
  }
}

/** Parses `--env NAME=value`. */
export function environment(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(texts.map((text) => pair('--env', text)))
}

function namedUrl(option: string, text: string): NamedUrl {
  const [name, url] = pair(option, text)
  if (!URL.canParse(url))
    throw new Error(`${option} ${text}: ${url} is not a URL; write <name>=http://host:port`)
  return { name, url: url.replace(/\/+$/, '') }
}

function pair(option: string, text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new Error(`${option} ${text}: write <name>=<value>`)
  return [text.slice(0, at), text.slice(at + 1)]
}

export function positive(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`${option} ${text}: write a whole number above 0`)
  return value
}
