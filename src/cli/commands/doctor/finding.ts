/** A finding of `lading doctor`. */
export interface Finding {
  readonly check: string
  /** `broken`: the registry does not work, or loses data. `warning`: it works, but something needs attention. */
  readonly state: 'ok' | 'warning' | 'broken'
  readonly message: string
  /** What to do about it. */
  readonly advice?: string
}

export function ok(check: string, message: string): Finding {
  return { check, state: 'ok', message }
}

export function warning(check: string, message: string, advice: string): Finding {
  return { check, state: 'warning', message, advice }
}

export function broken(check: string, message: string, advice: string): Finding {
  return { check, state: 'broken', message, advice }
}
