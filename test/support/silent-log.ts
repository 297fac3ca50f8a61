/** A log for parts whose lines a test does not look at. */
import { createLogger } from '../../src/telemetry/logger.ts'

export const silentLog = createLogger({ level: 'silent', destination: { write: () => undefined } })
