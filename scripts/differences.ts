/** `npm run differences`: runs the differential test and writes `docs/differences.md`; fails when a reason is missing. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { judge } from '../test/differences/judge.ts'
import { chapters } from '../test/differences/reasons/all.ts'
import { writeReport } from '../test/differences/report.ts'
import { runDifferences } from '../test/differences/run.ts'

const run = await runDifferences()
const judgement = judge(run.differences, chapters)
writeFileSync(join(import.meta.dirname, '../docs/differences.md'), writeReport(run, judgement, chapters))
console.log(`${run.requests} requests, ${run.differences.length} differences`)
if (judgement.faults.length > 0) {
  console.error(judgement.faults.join('\n'))
  process.exitCode = 1
}
