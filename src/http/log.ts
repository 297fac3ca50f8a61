/** The part of a pino logger that this layer uses. */
type Write = (fields: Readonly<Record<string, unknown>>, message: string) => void

export interface Log {
  readonly debug: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
  /**
   * Whether lines of the level are written. Checked before building the fields of a line that most installations never
   * write.
   */
  readonly isLevelEnabled: (level: 'debug' | 'info') => boolean
}
