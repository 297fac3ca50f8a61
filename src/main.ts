/** Entry point: runs one command and sets the exit code. */
import { enableCompileCache } from 'node:module'

// Must come before other modules load. The imports below are dynamic, so that they come from the cache.
enableCompileCache()

const [{ runCli }, { commands }, { createProcessHost }] = await Promise.all([
  import('./cli/run.ts'),
  import('./cli/commands.ts'),
  import('./cli/process/process-host.ts'),
])

process.exitCode = await runCli(process.argv.slice(2), commands, createProcessHost())
