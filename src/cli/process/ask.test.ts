import { PassThrough, Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { ask, askSecret } from './ask.ts'
import { readText } from './read-text.ts'

function openTerminal() {
  const modes: boolean[] = []
  const input = Object.assign(new PassThrough(), { setRawMode: (on: boolean) => void modes.push(on) })
  const shown: string[] = []
  const output = new Writable({
    write(text: Buffer, _, done) {
      shown.push(text.toString())
      done()
    },
  })
  return { input, output, modes, shown }
}

describe('ask', () => {
  test('reads a line, which the terminal shows', async () => {
    const terminal = openTerminal()
    const answer = ask(terminal, 'Name: ')
    terminal.input.write('alice\n')
    expect(await answer).toBe('alice')
    expect(terminal.shown.join('')).toBe('Name: ')
    expect(terminal.modes).toEqual([])
  })

  test('returns an empty text when the input ends', async () => {
    const terminal = openTerminal()
    const answer = ask(terminal, 'Name: ')
    terminal.input.end()
    expect(await answer).toBe('')
  })
})

describe('askSecret', () => {
  test('reads the typed text without showing it', async () => {
    const terminal = openTerminal()
    const answer = askSecret(terminal, 'Password: ')
    for (const key of ['s', 'ecx', '\u007f', 'ret', '\u001b[A', '\r']) terminal.input.write(key)
    expect(await answer).toBe('secret[A')
    expect(terminal.shown.join('')).toBe('Password: \n')
    expect(terminal.modes).toEqual([true, false])
  })

  test('can be asked twice', async () => {
    const terminal = openTerminal()
    const first = askSecret(terminal, '')
    terminal.input.write('one\r')
    expect(await first).toBe('one')
    const second = askSecret(terminal, '')
    terminal.input.write('two\n')
    expect(await second).toBe('two')
  })

  test('restores the terminal when it is interrupted', async () => {
    const terminal = openTerminal()
    const answer = askSecret(terminal, '')
    terminal.input.write('sec\u0003')
    await expect(answer).rejects.toThrow('interrupted')
    expect(terminal.modes).toEqual([true, false])
  })
})

describe('readText', () => {
  test('reads to the end, and refuses more than any password', async () => {
    expect(await readText(PassThrough.from(['pass', 'word\n']))).toBe('password\n')
    await expect(readText(PassThrough.from(['x'.repeat(70_000)]))).rejects.toThrow('longer than 65536 bytes')
  })
})
