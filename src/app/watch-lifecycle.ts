/** Adds gauges for the queue of dead keys; they are read from the database when the metrics are read. */
import type { Clock } from '../lib/clock.ts'
import { countDeadKeys, findOldestDeadKey } from '../metadata/content/dead-keys.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { Metrics } from '../telemetry/metrics.ts'

export function watchLifecycle(
  metrics: Metrics | undefined,
  { metadata, clock }: { readonly metadata: Metadata; readonly clock: Clock },
): void {
  metrics?.watchGauge({
    name: 'lading_dead_keys',
    help: 'Storage keys whose bytes are to be deleted; at most 100,000 are counted.',
    read: () => countDeadKeys(metadata.reader),
  })
  metrics?.watchGauge({
    name: 'lading_dead_key_oldest_seconds',
    help: 'Age of the oldest storage key whose bytes are to be deleted; 0 if there is none.',
    read: async () => {
      const since = await findOldestDeadKey(metadata.reader)
      return since === undefined ? 0 : Math.max(0, (clock.now() - since) / 1000)
    },
  })
}
