/** `lading config print`. */
import { formatConfig } from '../../../config/format.ts'
import { loadConfig } from '../../../config/load.ts'
import type { Command } from '../../frame/command.ts'

export const configPrintCommand: Command = {
  name: 'config print',
  summary: 'Print the effective configuration, with the origin of each value that is not the default.',
  configurable: true,
  jsonShape: '{"config": object, "origins": {"<key>": string}}',
  run: async ({ argv, json, host }) => {
    const loaded = loadConfig({ ...host.sources, argv })
    const origins = Object.fromEntries(loaded.origins)
    host.out(json ? JSON.stringify({ config: loaded.config, origins }) : formatConfig(loaded).trimEnd())
    return 0
  },
}
