/** `npm run build`: emits `dist/` for the npm package, because Node does not strip types below `node_modules`. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './run-command.ts'

const root = join(import.meta.dirname, '..')
rmSync(join(root, 'dist'), { recursive: true, force: true })
const { ok } = await run(['tsc', '-p', 'tsconfig.build.json'], { cwd: root })
if (!ok) process.exitCode = 1
