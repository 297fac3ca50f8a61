/** The commands of "Backup and restore" in operations.md, run in order, print the output that the page shows. */
import { readFileSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findLostImages, startImagePushes } from './support/uploads/image-pushes.ts'
import { startInProcess } from './support/parts/in-process.ts'
import { runLading } from './support/processes/run-lading.ts'
import { tempFolder } from './support/processes/temp-folder.ts'

interface ShownCommand {
  readonly line: string
  readonly output: string
}

function readCommands(): readonly ShownCommand[] {
  const page = readFileSync(join(import.meta.dirname, '../docs/operations.md'), 'utf8')
  const section = page.slice(page.indexOf('## Backup and restore'), page.indexOf('## Metrics'))
  return [...section.matchAll(/```console\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((text) => {
        const [line = '', ...output] = text.trimEnd().split('\n')
        return { line, output: output.join('\n') }
      }),
  )
}

/** Removes counts, times and places, which differ from those of the page. */
function shape(output: string, root: string): string {
  return output.replaceAll(root, '').replaceAll(/\b\d[\dTZ.]*/g, '#')
}

test('shows what happens', async () => {
  await using folder = await tempFolder('lading-docs')
  const root = folder.path
  const dataDir = join(root, 'data')
  const place = (line: string): string =>
    line.replaceAll(/ (\/|(?=data\/))/g, (_, slash: string) => ` ${root}${slash || '/'}`)
  const pushed = []
  {
    await using registry = await startInProcess({ dataDir })
    await using pushes = startImagePushes({ url: registry.url, clients: 1 })
    await pushes.reached(4)
    await pushes.stop()
    pushed.push(...pushes.acknowledged)
  }
  const commands = readCommands()
  expect(commands.length).toBe(7)
  for (const { line, output } of commands) {
    const [program = '', ...words] = place(line).split(' ')
    if (program === 'mv') {
      await rename(words[0] ?? '', words[1] ?? '')
      continue
    }
    expect(program).toBe('lading')
    const result = await runLading(words.join(' '), { env: { LADING_DATA: dataDir } })
    expect({ line, ...result }).toMatchObject({ line, code: 0, err: '' })
    expect(shape(result.out, root).replace('/data', './data')).toBe(shape(output, root))
  }
  for (const restored of [dataDir, join(root, 'srv/restored')]) {
    await using registry = await startInProcess({ dataDir: restored })
    expect(await findLostImages(registry.url, pushed)).toEqual([])
  }
})
