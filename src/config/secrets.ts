/** A value that must not appear in a log, an error or `config print`: however it is printed, it reads `[redacted]`. */
import { inspect } from 'node:util'

const redacted = '[redacted]'

export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** Returns the plain text. Pass it on directly; never store or log it. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return redacted
  }

  toJSON(): string {
    return redacted
  }

  [inspect.custom](): string {
    return redacted
  }
}
