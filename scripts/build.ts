/** `npm run build`: emits `dist/` for the npm package, since Node strips no types below `node_modules`, and the API's viewer. */
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './run-command.ts'

const root = join(import.meta.dirname, '..')
rmSync(join(root, 'dist'), { recursive: true, force: true })
const { ok } = await run(['tsc', '-p', 'tsconfig.build.json'], { cwd: root })
if (ok) copyViewer()
else process.exitCode = 1

/** Swagger UI, which `src/api/pages/viewer.ts` serves, with its license. */
function copyViewer(): void {
  const from = join(root, 'node_modules', 'swagger-ui-dist')
  const to = join(root, 'dist', 'api', 'pages', 'swagger-ui')
  mkdirSync(to)
  const script = 'swagger-ui-bundle.js'
  for (const name of [script, `${script}.LICENSE.txt`, 'swagger-ui.css', 'LICENSE', 'NOTICE']) {
    copyFileSync(join(from, name), join(to, name))
  }
}
