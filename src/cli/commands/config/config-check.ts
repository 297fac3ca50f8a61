/** `lading config check`. */
import { ConfigError, loadConfig } from '../../../config/load.ts'
import { failed } from '../../frame/command.ts'
import type { Command } from '../../frame/command.ts'

export const configCheckCommand: Command = {
  name: 'config check',
  summary: 'Say whether the configuration is valid, and name every fault.',
  configurable: true,
  jsonShape: '{"valid": boolean, "faults": string[]}',
  run: async ({ argv, json, host }) => {
    try {
      loadConfig({ ...host.sources, argv })
      host.out(json ? JSON.stringify({ valid: true, faults: [] }) : 'the configuration is valid')
      return 0
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      host.out(json ? JSON.stringify({ valid: false, faults: error.faults }) : error.message)
      return failed
    }
  },
}
