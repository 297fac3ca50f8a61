/** The HTTP layer over real registry services in this process, with limits, policy and log of the test's choice. */
import { createGate } from '../../../src/edge/gate.ts'
import type { HandlerDeps } from '../../../src/http/handlers/handler-deps.ts'
import type { HttpLimits } from '../../../src/http/limits.ts'
import type { ReservedAddress } from '../../../src/http/connections/reserve-address.ts'
import { createRegistryServer } from '../../../src/http/server.ts'
import type { RegistryServer, RegistryServerDeps } from '../../../src/http/server.ts'
import { systemIds } from '../../../src/lib/ids.ts'
import { defaultHttpLimits } from '../http/http-limits.ts'
import { openRegistry } from './open-registry.ts'
import type { OpenRegistry, OpenRegistryOptions } from './open-registry.ts'
import { noTokens, openAuthenticator, openPolicy } from './open-identity.ts'

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface OpenServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, or `https` under TLS; no slash at the end. */
  readonly url: string
  readonly server: RegistryServer
  readonly registry: OpenRegistry
  readonly logged: readonly LogLine[]
}

type Replaceable =
  | 'authenticator'
  | 'tokens'
  | 'policy'
  | 'formerNames'
  | 'publicUrl'
  | 'trustedProxies'
  | 'tls'
  | 'observer'
  | 'metrics'
  | 'api'

type Replaced = Partial<Pick<RegistryServerDeps, Replaceable>>

/** The management API is not served here. */
const noManagement = {
  sessions: { find: () => Promise.resolve(undefined) },
  owners: { find: () => Promise.resolve(undefined) },
}

export interface OpenServerOptions extends Replaced {
  /** Makes options that need parts of the registry. Resources on the stack are disposed before these parts. */
  readonly wire?: (registry: OpenRegistry, stack: AsyncDisposableStack) => Replaced
  readonly limits?: Partial<HttpLimits>
  readonly health?: HandlerDeps['health']
  readonly registry?: OpenRegistryOptions
  /** The address to listen on; absent: a free port on the loopback interface. */
  readonly reserved?: ReservedAddress
}

export async function openServer(given: OpenServerOptions = {}): Promise<OpenServer> {
  await using stack = new AsyncDisposableStack()
  const registry = stack.use(await openRegistry(given.registry))
  const options = { ...given, ...given.wire?.(registry, stack) }
  const logged: LogLine[] = []
  const write = (level: LogLine['level']) => (fields: LogLine['fields'], message: string) =>
    void logged.push({ level, message, fields })
  const identity = {
    policy: options.policy ?? openPolicy,
    formerNames: options.formerNames ?? { resolve: () => undefined },
    authenticator: options.authenticator ?? openAuthenticator,
  }
  const server = stack.use(
    createRegistryServer({
      registry: registry.registry,
      ...identity,
      gate: createGate({ ...identity, ...noManagement }),
      tokens: options.tokens ?? noTokens,
      audit: registry.audit,
      log: {
        debug: write('debug'),
        info: write('info'),
        warn: write('warn'),
        error: write('error'),
        isLevelEnabled: () => true,
      },
      publicUrl: options.publicUrl,
      trustedProxies: options.trustedProxies,
      tls: options.tls,
      observer: options.observer,
      api: options.api,
      metrics: options.metrics,
      ids: systemIds,
      limits: { ...defaultHttpLimits, ...options.limits },
      health: options.health ?? (() => Promise.resolve({ ready: true, checks: {} })),
    }),
  )
  const { port } =
    options.reserved === undefined
      ? await server.listen({ host: '127.0.0.1', port: 0 })
      : await server.listenOn(options.reserved)
  const resources = stack.move()
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    server,
    registry,
    logged,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
