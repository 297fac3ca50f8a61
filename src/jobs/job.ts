/** A piece of background work: repeatable, cut off at any time by its signal, safe to run twice. */
export interface Job {
  /** Also the name of its lease row. */
  readonly name: string
  readonly everyMs: number
  /** Returns how many things it did, for the log. */
  run(signal: AbortSignal): Promise<number>
}
