/** The result of one measurement of one scenario with one registry. */
export interface Sample {
  /** The rate in the scenario's unit per second: requests, images, gigabytes (10^9 bytes). */
  readonly rate: number
  /** The number of completed requests, images or transfers. */
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Makes a sample from the times of single operations and of all together, in ms. */
export function toSample(latenciesMs: readonly number[], elapsedMs: number): Sample {
  const sorted = Float64Array.from(latenciesMs).sort()
  return {
    rate: (sorted.length * 1000) / elapsedMs,
    count: sorted.length,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
  }
}

/** Returns the percentile of sorted values by nearest rank; NaN without values. */
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
