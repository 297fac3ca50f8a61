/** Defaults of keys in the manuals. */
import type { ConfigKey } from './keys.ts'

/** As a person writes it in a variable or a flag; `undefined` when there is none. */
export function formatDefault({ default: value }: ConfigKey): string | undefined {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return undefined
  return typeof value === 'string' ? value : JSON.stringify(value)
}
