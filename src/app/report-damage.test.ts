import { expect, test } from 'vitest'
import { createTestClock } from '../../test/support/parts/open-registry.ts'
import { digestBytes } from '../oci/digest.ts'
import { createDamageReporter } from './report-damage.ts'

const damage = {
  kind: 'blob' as const,
  digest: digestBytes(Buffer.from('content')),
  storageKey: 'a key',
  expectedBytes: 7,
  foundBytes: undefined,
}

test('counts every damage and logs each digest once a minute, with its key and what to do', () => {
  const clock = createTestClock()
  const lines: (readonly [object, string])[] = []
  const counted: string[] = []
  const report = createDamageReporter({
    log: (fields, message) => void lines.push([fields, message]),
    monotonic: clock,
    metrics: { onDamage: (kind) => void counted.push(kind) },
  })
  report(damage)
  clock.advance(59_999)
  report(damage)
  report({ ...damage, digest: digestBytes(Buffer.from('other')) })
  clock.advance(1)
  report(damage)
  const { kind: _, ...fields } = damage
  expect(lines).toHaveLength(3)
  expect(lines[0]).toEqual([fields, 'a blob is damaged; push it again, or restore its file from a backup'])
  expect(counted).toEqual(['blob', 'blob', 'blob', 'blob'])
})
