import { expect, test } from 'vitest'
import { createLogger } from '../../src/telemetry/logger.ts'
import { startInProcess } from '../support/in-process.ts'

test('the log has the duration of a request, even if the clock is changed', async () => {
  const lines: Record<string, unknown>[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>)
  let setBackMs = 0
  const deps = {
    clock: { now: () => Date.now() - (setBackMs += 3_600_000) },
    logger: createLogger({ level: 'info', destination: { write } }),
  }
  await using registry = await startInProcess({ deps })
  const { status } = await fetch(`${registry.repository()}/blobs/uploads/`, { method: 'POST' })
  expect(status).toBe(202)
  const { ms } = lines.find(({ msg }) => msg === 'request') ?? {}
  expect(ms).toBeGreaterThanOrEqual(0)
  // An hour is far longer than the test can take.
  expect(ms).toBeLessThan(3_600_000)
})
