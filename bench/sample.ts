/** What one measurement of one scenario against one registry gives. */
export interface Sample {
  /** In the scenario's unit per second: requests, images, gigabytes (10^9 bytes). */
  readonly rate: number
  /** Requests, images or transfers that were completed. */
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Times of single operations in ms, and how long all of them took together. */
export function toSample(latenciesMs: readonly number[], elapsedMs: number): Sample {
  const sorted = Float64Array.from(latenciesMs).sort()
  return {
    rate: (sorted.length * 1000) / elapsedMs,
    count: sorted.length,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
  }
}

/** Nearest rank on sorted values; NaN without any. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  const rank = Math.max(Math.ceil(share * sorted.length), 1)
  return sorted[rank - 1] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  const middle = Math.floor(sorted.length / 2)
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}
