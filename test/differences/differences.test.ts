/** Issue 5, part 2: every difference from Distribution has a reason. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { routes } from '../../src/http/routes.ts'
import { judge } from './judge.ts'
import type { Judgement } from './judge.ts'
import { chapters } from './reasons/all.ts'
import { writeReport } from './report.ts'
import type { Run } from './run.ts'
import { runDifferences } from './run.ts'
import { scripts } from './scenarios/all.ts'
import { methods, routeScripts } from './scenarios/routes.ts'

const page = join(import.meta.dirname, '../../docs/differences.md')

describe('the responses of Lading and of Distribution to the same requests', () => {
  let run: Run
  let judgement: Judgement

  beforeAll(async () => {
    run = await runDifferences()
    judgement = judge(run.differences, chapters)
  })

  test('differ for one reason each, and every reason is needed', () => {
    expect(judgement.faults).toEqual([])
  })

  test('differ as documented in docs/differences.md, which npm run differences writes', () => {
    expect(readFileSync(page, 'utf8')).toBe(writeReport(run, judgement, chapters))
  })
})

describe('scripts', () => {
  test('have at least 300 requests, and unique names', () => {
    expect(scripts.reduce((sum, { steps }) => sum + steps.length, 0)).toBeGreaterThanOrEqual(300)
    expect(new Set(scripts.map(({ name }) => name)).size).toBe(scripts.length)
  })

  test('request every path of the route table with every method', () => {
    expect(routeScripts).toHaveLength(new Set(routes.map(({ path }) => path)).size)
    expect(methods).toEqual(expect.arrayContaining(routes.map(({ method }) => method)))
  })
})

describe('reasons', () => {
  test('have a source, a sentence, cases and a unique title', () => {
    const reasons = chapters.flatMap((chapter) => chapter.reasons)
    for (const { source, text, cases } of reasons) {
      expect(source).toMatch(/\w/)
      expect(text).toMatch(/^.{20,}[."]$/)
      expect(cases.length).toBeGreaterThan(0)
    }
    expect(new Set(reasons.map(({ title }) => title)).size).toBe(reasons.length)
  })
})
