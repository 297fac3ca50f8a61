/** `lading version`. */
import { readFileSync } from 'node:fs'
import { readArguments } from '../../frame/arguments.ts'
import { createOutput } from '../../frame/output.ts'
import type { Command } from '../../frame/command.ts'

/** Returns the version in package.json, which has the same relative path from `src/` and from `dist/`. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

export const versionCommand: Command = {
  name: 'version',
  summary: 'Print the versions of Lading and Node.',
  configurable: false,
  jsonShape: '{"version": string, "node": string}',
  run: async ({ argv, json, host }) => {
    readArguments(argv, versionCommand)
    const version = readVersion()
    const node = process.versions.node
    createOutput(host, json).print({ version, node }, `lading ${version} (node ${node})`)
    return 0
  },
}
