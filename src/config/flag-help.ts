/** The flag of a key, as the help of a command shows it. */
import type { ConfigKey } from './keys.ts'

export interface FlagHelp {
  /** `--auth.tokenLifetimeMs <duration>` */
  readonly usage: string
  /** The description with the choices and the default. */
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

/** As a person writes it in a variable or a flag; `undefined` when there is none. */
export function formatDefault({ default: value }: ConfigKey): string | undefined {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return undefined
  return typeof value === 'string' ? value : JSON.stringify(value)
}
