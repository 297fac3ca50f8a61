import { expect, test } from 'vitest'
import { matchesShown, readConsoleBlocks } from './support/processes/console-blocks.ts'

test('reads the commands of console blocks in their order, and no other block', () => {
  const page = '```console\n$ a b\none\ntwo\n$ c\n```\n```yaml\n$ x\n```\ntext\n```console\n$ d\n```\n'
  expect(readConsoleBlocks(page)).toEqual([
    { line: 'a b', output: 'one\ntwo' },
    { line: 'c', output: '' },
    { line: 'd', output: '' },
  ])
})

test('refuses a block that begins without a prompt', () => {
  expect(() => readConsoleBlocks('```console\nlost\n```\n')).toThrow('without a prompt')
})

test.each([
  ['', 'anything', true],
  ['a.c', 'a.c', true],
  ['a.c', 'abc', false],
  ['a', 'a\nb', false],
  ['…\na', 'a', true],
  ['…\na', 'x\ny\na', true],
  ['…\na', 'xa', false],
  ['sha256:…', 'sha256:00ff', true],
  ['is xxxx-xxxx-xxxx-xxxx-xxxx.', 'is y6ky-xj9m-cq3y-5sfg-tdqz.', true],
  ['is xxxx-xxxx-xxxx-xxxx-xxxx.', 'is hunter2.', false],
])('%j shown and %j printed: %s', (shown, printed, expected) => {
  expect(matchesShown(shown, printed)).toBe(expected)
})
