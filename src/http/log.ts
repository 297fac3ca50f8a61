/** The part of a pino logger that this layer uses. */
type Write = (fields: Readonly<Record<string, unknown>>, message: string) => void

export interface Log {
  readonly debug: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
  /** Asked before the fields of a line are put together that most installations never write. */
  readonly isLevelEnabled: (level: 'debug' | 'info') => boolean
}
