import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'

import { report } from './report.ts'

const program = join(import.meta.dirname, '../../bench/memory.ts')

test('100 slow readers of 1 GiB and 100 slow uploads of 1 GiB stay below 300 MiB of memory', async () => {
  const name = 'memory'
  const claim = `100 clients read a blob of 1 GiB a little at a time while 100 others announce an upload of 1 GiB and send 64 MiB of
it slowly. The resident size of the server (VmHWM of the process, and samples) stays below 300 MiB. Run by
\`node bench/memory.ts\` on the built program, as it is installed.`
  await report({ name, claim }, async (note) => {
    const child = spawn(process.execPath, [program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
    const [traffic = '', memory = ''] = output.trim().split('\n')
    note({ traffic, memory, 'exit code': Number(code) })
    expect({ code, output }).toMatchObject({ code: 0 })
  })
})
