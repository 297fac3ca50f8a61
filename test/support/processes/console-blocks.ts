/**
 * @module Reads the commands of the `console` blocks of a page, and compares what they print with what the page shows. In the
 * page a line `…` stands for any lines, `…` in a line for any text, and `xxxx-xxxx-xxxx-xxxx-xxxx` for a generated password.
 */

export interface ShownCommand {
  /** After the prompt, as written. */
  readonly line: string
  /** The lines below it. */
  readonly output: string
}

const password = 'xxxx-xxxx-xxxx-xxxx-xxxx'
const anyPassword = '[a-z2-9]{4}(?:-[a-z2-9]{4}){4}'

/** The commands of all blocks in their order. Throws when a block begins with anything but a prompt. */
export function readConsoleBlocks(page: string): readonly ShownCommand[] {
  return [...page.matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) => {
    const [before, ...commands] = `\n${block}`.split(/^\$ /m)
    if (before?.trim() !== '') throw new Error(`a console block begins without a prompt: ${block}`)
    return commands.map((text) => {
      const [line = '', ...output] = text.trimEnd().split('\n')
      return { line, output: output.join('\n') }
    })
  })
}

/** Whether a command printed what the page shows. Where the page shows no output, any output will do. */
export function matchesShown(shown: string, printed: string): boolean {
  if (shown === '') return true
  const lines = shown.split('\n').map((line) => (line === '…' ? '(?:.*\n)*?' : `${toPattern(line)}\n`))
  return new RegExp(`^${lines.join('')}$`).test(`${printed.trimEnd()}\n`)
}

function toPattern(line: string): string {
  return line
    .split(password)
    .map((part) =>
      part
        .split('…')
        .map((text) => RegExp.escape(text))
        .join('.*'),
    )
    .join(anyPassword)
}
