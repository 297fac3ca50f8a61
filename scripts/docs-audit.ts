/** Writes the lists of actions and outcomes in `docs/audit.md`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { auditActions, auditOutcomes } from '../src/metadata/audit/audit-actions.ts'
import { generateFile } from './generated-file.ts'

const path = 'docs/audit.md'

function fill(text: string, name: string, words: Readonly<Record<string, string>>): string {
  const rows = Object.entries(words).map(([word, meaning]) => `| \`${word}\` | ${meaning} |`)
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`]
  const table = ['| word | written when |', '|---|---|', ...rows].join('\n')
  const [before = '', rest = ''] = text.split(begin)
  const [, after = ''] = rest.split(end)
  return `${before}${begin}\n${table}\n${end}${after}`
}

const text = readFileSync(join(import.meta.dirname, '..', path), 'utf8')
generateFile(path, fill(fill(text, 'actions', auditActions), 'outcomes', auditOutcomes))
