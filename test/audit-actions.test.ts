/** The list of audit actions is complete and correct: each action is recorded somewhere and documented. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { auditActions } from '../src/metadata/audit/audit-actions.ts'

const root = join(import.meta.dirname, '..', 'src')
const listed = 'metadata/audit/audit-actions.ts'

test('every action of the list is written by some code', () => {
  const text = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && path !== listed)
    .map((path) => readFileSync(join(root, path), 'utf8'))
    .join('\n')
  const unwritten = Object.keys(auditActions).filter((action) => !text.includes(`'${action}'`))
  expect(unwritten).toEqual([])
})
