/** Distribution 3.1.2, built by `scripts/tools/go-tools.sh --peer`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ask } from '../http/client.ts'
import { findFreePort } from './free-port.ts'
import { tempFolder } from './temp-folder.ts'

const program = join(import.meta.dirname, '../../../.tools/bin/registry')

export interface Distribution extends AsyncDisposable {
  readonly url: string
  readonly pid: number | undefined
}

/**
 * Starts it with its defaults, as its users run it: files on disk, absolute URLs, no authentication. Only deletes are enabled:
 * otherwise it would refuse all of them in the same way, which would hide the differences.
 */
export async function startDistribution(): Promise<Distribution> {
  if (!existsSync(program)) {
    throw new Error('.tools/bin/registry not found: run scripts/tools/go-tools.sh --peer first')
  }
  await using cleanup = new AsyncDisposableStack()
  const folder = cleanup.use(await tempFolder('distribution'))
  const port = await findFreePort()
  const config = join(folder.path, 'config.yml')
  await writeFile(config, configuration(join(folder.path, 'data'), port))
  const child = spawn(program, ['serve', config], {
    cwd: folder.path,
    stdio: 'ignore',
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  })
  cleanup.defer(async () => {
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'close')
  })
  const url = `http://127.0.0.1:${port}`
  await untilAnswering(url)
  const kept = cleanup.move()
  return { url, pid: child.pid, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

function configuration(dataDir: string, port: number): string {
  return `version: 0.1
log:
  level: error
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: ${dataDir}
  delete:
    enabled: true
http:
  addr: 127.0.0.1:${port}
`
}

async function untilAnswering(url: string): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    const answer = await ask(`${url}/v2/`).catch(() => undefined)
    if (answer !== undefined) return
    await delay(10)
  }
  throw new Error(`${url} did not answer within 10 s`)
}
