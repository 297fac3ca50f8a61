/** `npm run docs`: runs every generator `docs-*.ts` beside this file; `--check` reports stale documents instead of writing them. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './run-command.ts'

const generators = readdirSync(import.meta.dirname)
  .filter((name) => name.startsWith('docs-') && name.endsWith('.ts'))
  .sort()

for (const name of generators) {
  const { ok } = await run([process.execPath, join(import.meta.dirname, name), ...process.argv.slice(2)])
  if (!ok) process.exitCode = 1
}
