/** `lading doctor`: checks everything that the configuration names and says what to do. */
import { loadConfig } from '../../../config/load.ts'
import type { Config } from '../../../config/schema.ts'
import { systemClock, type Clock } from '../../../lib/clock.ts'
import { readArguments } from '../../frame/arguments.ts'
import { failed } from '../../frame/command.ts'
import { createOutput } from '../../frame/output.ts'
import type { CliHost, Command } from '../../frame/command.ts'
import type { Finding } from './finding.ts'
import { createHostLogger } from '../../services/host-logger.ts'

export function createDoctorCommand({ clock }: { readonly clock: Clock }): Command {
  return {
    name: 'doctor',
    summary:
      'Check database, store, clock, disk, TLS and ports, and say what to do. It changes nothing, and works with or without a running server.',
    configurable: true,
    failsIf: 'anything is broken',
    jsonShape:
      '{"healthy": boolean, "findings": [{"check": string, "state": "ok" | "warning" | "broken", "message": string, "advice"?: string}]}',
    run: async ({ argv, json, host }) => {
      const { rest } = readArguments(argv, { name: 'doctor', configurable: true })
      const { config } = loadConfig({ ...host.sources, argv: rest })
      const findings: Finding[] = []
      for await (const finding of examine(config, { clock, host })) {
        findings.push(finding)
        if (!json) host.out(formatFinding(finding))
      }
      const healthy = findings.every(({ state }) => state !== 'broken')
      createOutput(host, json).print({ healthy, findings }, [])
      return healthy ? 0 : failed
    },
  }
}

export const doctorCommand = createDoctorCommand({ clock: systemClock })

async function* examine(
  config: Config,
  { clock, host }: { readonly clock: Clock; readonly host: CliHost },
): AsyncGenerator<Finding> {
  // Loads the checks on demand, so that the other commands start without the whole registry.
  const [access, tls, ports, machine, parts] = await Promise.all([
    import('./check-access.ts'),
    import('./check-tls.ts'),
    import('./check-ports.ts'),
    import('./check-machine.ts'),
    import('./check-parts.ts'),
  ])
  yield* machine.checkDisk(config)
  yield* machine.checkClock(config, clock.now())
  yield* parts.checkParts(config, { clock, logger: createHostLogger(host) })
  yield* tls.checkTls(config, clock.now())
  yield* ports.checkPorts(config)
  yield* access.checkAccess(config)
}

const stateWidth = 'warning'.length
const checkWidth = 'database'.length

function formatFinding({ check, state, message, advice }: Finding): string {
  const line = `${state.padEnd(stateWidth)}  ${check.padEnd(checkWidth)}  ${message}`
  return advice === undefined ? line : `${line}; ${advice}`
}
