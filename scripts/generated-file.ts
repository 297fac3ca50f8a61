/** Writes a generated file, or, with `--check` on the command line, fails when the existing file differs. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

export function generateFile(path: string, content: string): void {
  if (!process.argv.includes('--check')) {
    writeFileSync(join(root, path), content)
    return
  }
  if (findText(join(root, path)) === content) return
  console.error(`${path} is stale: run npm run docs`)
  process.exitCode = 1
}

function findText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
