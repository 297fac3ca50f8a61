/** `lading config check`. */
import { ConfigError, loadConfig } from '../../../config/load.ts'
import type { ConfigSources } from '../../../config/load.ts'
import { readTlsFiles, TlsFileError } from '../../../config/tls-files.ts'
import { failed } from '../../frame/command.ts'
import type { Command } from '../../frame/command.ts'

interface FileNote {
  readonly path: string
  readonly found: boolean
}

interface Check {
  /** The files in the order in which they are read, without those named in a fault. */
  readonly files: readonly FileNote[]
  /** Whether TLS is on, and its certificate and key exist and belong together. */
  readonly hasTls: boolean
  readonly faults: readonly string[]
}

export const configCheckCommand: Command = {
  name: 'config check',
  summary:
    'Check the configuration and its TLS files, list the files that were read, and report every fault.',
  configurable: true,
  jsonShape: '{"valid": boolean, "files": [{"path": string, "found": boolean}], "faults": string[]}',
  run: async ({ argv, json, host }) => {
    const check = checkConfig({ ...host.sources, argv })
    const { files, faults } = check
    const valid = faults.length === 0
    host.out(json ? JSON.stringify({ valid, files, faults }) : format(check))
    return valid ? 0 : failed
  },
}

function checkConfig(sources: ConfigSources): Check {
  const files: FileNote[] = []
  const readFile = (path: string): string | undefined => {
    const text = sources.readFile(path)
    files.push({ path, found: text !== undefined })
    return text
  }
  try {
    const { tls } = loadConfig({ ...sources, readFile }).config.http
    const hasTls = readTlsFiles(tls) !== undefined
    for (const path of [tls.cert, tls.key]) if (path !== undefined) files.push({ path, found: true })
    return { files, hasTls, faults: [] }
  } catch (error) {
    if (error instanceof TlsFileError) return { files, hasTls: false, faults: [error.message] }
    if (!(error instanceof ConfigError)) throw error
    return { files, hasTls: false, faults: error.faults }
  }
}

function format({ files, hasTls, faults }: Check): string {
  const lines = files.map(({ path, found }) => (found ? `read ${path}` : `there is no ${path}`))
  if (hasTls) lines.push('the TLS key belongs to the certificate')
  if (faults.length === 0) return [...lines, 'the configuration is valid'].join('\n')
  return [...lines, new ConfigError(faults).message].join('\n')
}
