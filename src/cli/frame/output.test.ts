import { describe, expect, test } from 'vitest'
import { createOutput } from './output.ts'

const rows = [
  { id: 7, name: 'alice', usedAt: new Date('2026-01-31T12:00:00.250Z') },
  { id: 12, name: 'bo', usedAt: undefined },
]
const columns = {
  ID: ({ id }: (typeof rows)[number]) => id,
  'LAST USED': ({ usedAt }: (typeof rows)[number]) => usedAt,
  NAME: ({ name }: (typeof rows)[number]) => name,
}

function write(json: boolean) {
  const lines: string[] = []
  return { lines, output: createOutput({ out: (line) => void lines.push(line) }, json) }
}

describe('output', () => {
  test('prints a table with aligned columns, short times and - for missing values', () => {
    const { lines, output } = write(false)
    output.printTable(rows, columns)
    expect(lines).toEqual([
      'ID  LAST USED             NAME',
      '7   2026-01-31T12:00:00Z  alice',
      '12  -                     bo',
    ])
  })

  test('prints the headings of an empty table', () => {
    const { lines, output } = write(false)
    output.printTable([], columns)
    expect(lines).toEqual(['ID  LAST USED  NAME'])
  })

  test('prints one JSON array with whole times and without absent fields', () => {
    const { lines, output } = write(true)
    output.printTable(rows, columns)
    expect(lines).toEqual([
      '[{"id":7,"name":"alice","usedAt":"2026-01-31T12:00:00.250Z"},{"id":12,"name":"bo"}]',
    ])
  })

  test('prints one value or its lines', () => {
    const [json, text] = [write(true), write(false)]
    for (const { output } of [json, text]) output.print({ id: 1 }, ['created 1', 'token: x'])
    expect([json.lines, text.lines]).toEqual([['{"id":1}'], ['created 1', 'token: x']])
  })
})
