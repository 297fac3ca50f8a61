/** A command whose standard output closes early, as with `| head`, or cannot be written, ends without a stack trace. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const entry = join(import.meta.dirname, '../../src/main.ts')

async function end(child: ReturnType<typeof spawn>) {
  let err = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, err }
}

describe('a command', () => {
  test('ends quietly when the reader of its output has ended', async () => {
    const child = spawn(process.execPath, [entry, 'help'], { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    expect(await end(child)).toEqual({ code: 0, err: '' })
  })

  test.skipIf(!existsSync('/dev/full'))(
    'reports that its output could not be written, and fails',
    async () => {
      const full = openSync('/dev/full', 'w')
      const child = spawn(process.execPath, [entry, 'help'], { stdio: ['ignore', full, 'pipe'] })
      closeSync(full)
      expect(await end(child)).toEqual({
        code: 1,
        err: 'lading: cannot write to standard output (ENOSPC); what is missing there was not written\n',
      })
    },
  )
})
