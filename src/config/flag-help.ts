/** The flag of a configuration key, for the help of a command. */
import type { ConfigKey } from './keys.ts'

export interface FlagHelp {
  /** `--auth.tokenLifetimeMs <duration>` */
  readonly usage: string
  /** The description, the choices and the default. */
  readonly summary: string
}

export function describeFlag(key: ConfigKey): FlagHelp {
  const text = formatDefault(key)
  const sentences = [
    key.description,
    ...(key.choices.length > 0 ? [`One of ${key.choices.join(', ')}.`] : []),
    ...(text === undefined ? [] : [`Default: ${text}.`]),
  ]
  return { usage: `${key.flags.join(', ')} <${key.kind}>`, summary: sentences.join(' ') }
}

/** Returns the default as a user writes it in a variable or a flag, or `undefined` if the key has no default. */
export function formatDefault({ default: value }: ConfigKey): string | undefined {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return undefined
  return typeof value === 'string' ? value : JSON.stringify(value)
}
