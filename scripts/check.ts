/** `npm run check`: runs every static check and reports all failures. A new check is one row. */
import { run } from './run-command.ts'

const checks: readonly { name: string; command: readonly string[] }[] = [
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'lint', command: ['oxlint', '--type-aware'] },
  { name: 'format', command: ['oxfmt', '--check'] },
  { name: 'dead code', command: ['knip', '--no-progress'] },
  { name: 'generated documents', command: ['node', 'scripts/docs.ts', '--check'] },
  { name: 'architecture', command: ['vitest', 'run', '--project', 'unit', 'test/architecture.test.ts'] },
]

const failures: string[] = []
for (const { name, command } of checks) {
  const { ok, seconds, output, reason } = await run(command, { capture: true })
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} (${seconds.toFixed(1)} s)`)
  if (!ok) failures.push(`--- ${name}: ${command.join(' ')}: ${reason}\n${output.trimEnd()}`)
}
if (failures.length > 0) {
  console.error(`\n${failures.join('\n\n')}\n\n${failures.length} of ${checks.length} checks failed`)
  process.exitCode = 1
}
