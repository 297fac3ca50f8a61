/** A background job: repeatable, abortable at any time by its signal, and safe to run twice. */
export interface Job {
  /** Also the name of its lease row. */
  readonly name: string
  readonly everyMs: number
  /** Returns how many items it handled, for the log. */
  run(signal: AbortSignal): Promise<number>
}
