/** Formats a JSON line of the log as a short line for a terminal. */

type Fields = Readonly<Record<string, unknown>>

/** Matches a value that needs no quotes. */
const plain = /^[\w./:@+*?=,[\]-]+$/
/** Control characters, and marks that change the direction of text: a terminal would interpret them. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
const digest = /^(sha(?:256|512):[0-9a-f]{12})[0-9a-f]+$/
const levelWidth = 5
const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** Returns a line that is not a JSON object unchanged. Values cannot add lines or control the terminal. */
export function formatPrettyLine(line: string): string {
  const fields = parseFields(line)
  if (fields === undefined) return line
  const { time, level, msg, err, requestId, ...rest } = fields
  const words = [
    formatTime(time),
    String(level).padEnd(levelWidth),
    makeSafe(typeof msg === 'string' ? msg : ''),
  ]
  // The request id comes last: it is the longest value and rarely read.
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

/** Returns the local time of day. */
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

/** Returns the message, and for levels `error` and `fatal` also the stack. */
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
