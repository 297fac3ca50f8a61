/** Asks at a terminal, with or without showing the typed text. */
import type { Readable, Writable } from 'node:stream'
import { CliError } from '../frame/command.ts'

export interface Terminal {
  readonly input: Readable & { setRawMode(on: boolean): unknown }
  readonly output: Writable
}

const enter = new Set(['\r', '\n', '\u0004'])
const erase = new Set(['\u0008', '\u007f'])
const interrupt = '\u0003'
/** Lower characters are control characters, such as the first one of the escape sequence of an arrow key. */
const firstPrintable = ' '

/** Asks without showing the typed text. Throws `CliError` if interrupted. */
export async function askSecret({ input, output }: Terminal, label: string): Promise<string> {
  output.write(label)
  input.setEncoding('utf8')
  input.setRawMode(true)
  try {
    return await readLine(input)
  } finally {
    input.setRawMode(false)
    input.pause()
    output.write('\n')
  }
}

/** Asks while the terminal shows and edits the typed text. Throws `CliError` if interrupted. */
export async function ask({ input, output }: Terminal, label: string): Promise<string> {
  output.write(label)
  input.setEncoding('utf8')
  try {
    return await readLine(input)
  } finally {
    input.pause()
  }
}

function readLine(input: Readable): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const typed: string[] = []
  const take = (text: string): void => {
    for (const key of text) {
      if (enter.has(key)) return resolve(typed.join(''))
      if (key === interrupt) return reject(new CliError('interrupted'))
      if (erase.has(key)) typed.pop()
      else if (key >= firstPrintable) typed.push(key)
    }
  }
  const end = (): void => resolve(typed.join(''))
  input.on('data', take).once('end', end)
  input.resume()
  return promise.finally(() => input.off('data', take).off('end', end))
}
