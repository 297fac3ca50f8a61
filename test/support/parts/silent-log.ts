/** A log for parts whose log lines a test does not check. */
import { createLogger } from '../../../src/telemetry/logger.ts'

export const silentLog = createLogger({ level: 'silent', destination: { write: () => undefined } })
