/** The defaults of configuration keys in the manuals. */
import type { ConfigKey } from './keys.ts'

/** Returns the default as a user writes it in a variable or a flag, or `undefined` if the key has no default. */
export function formatDefault({ default: value }: ConfigKey): string | undefined {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return undefined
  return typeof value === 'string' ? value : JSON.stringify(value)
}
