/** Turns a JSON line of the log into a short line for a person at a terminal. */

type Fields = Readonly<Record<string, unknown>>

/** A value that needs no quotes. */
const plain = /^[\w./:@+*?=,[\]-]+$/
/** Control characters and marks that change the direction of text: a terminal would act on them. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
const digest = /^(sha(?:256|512):[0-9a-f]{12})[0-9a-f]+$/
const levelWidth = 5
const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** Returns the line as it is if it is not a JSON object. Values cannot add lines or control the terminal. */
export function formatPrettyLine(line: string): string {
  const fields = parseFields(line)
  if (fields === undefined) return line
  const { time, level, msg, err, requestId, ...rest } = fields
  const words = [
    formatTime(time),
    String(level).padEnd(levelWidth),
    makeSafe(typeof msg === 'string' ? msg : ''),
  ]
  // The request id is the longest value and the one that is read least often.
  const pairs = Object.entries({ ...rest, ...(requestId !== undefined && { requestId }) })
  for (const [name, value] of pairs) words.push(`${makeSafe(name)}=${formatValue(name, value)}`)
  return `${words.join(' ')}${formatError(err, level)}\n`
}

function parseFields(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined
  } catch {
    return undefined
  }
}

/** The time of day where the terminal is. */
function formatTime(time: unknown): string {
  const date = new Date(String(time))
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()]
  return parts.map((part) => String(part).padStart(2, '0')).join(':')
}

function formatValue(name: string, value: unknown): string {
  if (name === 'size' && typeof value === 'number') return formatSize(value)
  if (typeof value !== 'string') return makeSafe(JSON.stringify(value))
  const [, short] = digest.exec(value) ?? []
  if (short !== undefined) return short
  return plain.test(value) ? value : makeSafe(JSON.stringify(value))
}

function formatSize(bytes: number): string {
  let size = bytes
  let index = 0
  for (; size >= 1024 && index < units.length - 1; index++) size /= 1024
  return `${index === 0 ? size : size.toFixed(1)}${units[index]}`
}

/** The message, and the stack where the fault is one of the program. */
function formatError(err: unknown, level: unknown): string {
  if (typeof err !== 'object' || err === null) return ''
  const { message, stack } = err as Fields
  const isFault = level === 'error' || level === 'fatal'
  const lines = isFault && typeof stack === 'string' ? stack.split('\n') : []
  const indented = lines.map((line) => `\n    ${makeSafe(line)}`).join('')
  return ` error=${formatValue('error', message ?? '')}${indented}`
}

function makeSafe(text: string): string {
  return text.replaceAll(unsafe, (char) => `\\u${char.codePointAt(0)?.toString(16).padStart(4, '0')}`)
}
