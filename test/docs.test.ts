/** The names in the documents exist: commands and their flags, configuration keys, metrics, files. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commands } from '../src/cli/commands.ts'
import { configKeys } from '../src/config/keys.ts'
import { auditActions } from '../src/metadata/audit/audit-actions.ts'
import { readConsoleBlocks } from './support/processes/console-blocks.ts'

const root = join(import.meta.dirname, '..')
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
const docs = readdirSync(join(root, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`)
const others = [
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'README.md',
  'SECURITY.md',
  'bench/README.md',
]
const pages = [...others, ...docs].map((path) => ({
  path,
  text: readFileSync(join(root, path), 'utf8'),
}))

/** Commands after a prompt or in back quotes: `lading user add alice --generate`. */
const commandPattern = /(?:^\$ (?:.*&& )?(?:npx )?|`(?:npx )?)lading ([a-z][^`\n]*)/gm
const groups = new Set(configKeys.map(({ path }) => path.split('.')[0]))

function findCommand(line: string): (typeof commands)[number] | undefined {
  return commands.find(({ name }) => line === name || line.startsWith(`${name} `))
}

/** Names that look like configuration keys: tables of data-model.md and actions of the audit may start like a group of keys. */
const namesakes = new Set(['repository.id', 'repository.name', ...Object.keys(auditActions)])

describe.each(pages)('$path', ({ path, text }) => {
  test('names commands and flags that exist', () => {
    const unknown = [...text.matchAll(commandPattern)]
      .map(([, line = '']) => line)
      .filter((line) => {
        const command = findCommand(line)
        const flags = line.match(/--[a-z-]+/g) ?? []
        const known = command?.options?.map(({ name }) => name) ?? []
        const isKey = command?.configurable === true
        return (
          command === undefined || flags.some((flag) => !known.includes(flag) && !isKey && flag !== '--json')
        )
      })
    expect(unknown).toEqual([])
  })

  test('names configuration keys that exist', () => {
    const named = [...text.matchAll(/`([a-z]+\.[a-zA-Z.]+)`/g)].map(([, key = '']) => key)
    const known = configKeys.map((key) => key.path)
    const unknown = named.filter(
      (key) =>
        groups.has(key.split('.')[0]) &&
        !namesakes.has(key) &&
        !/\.(ts|md|json|yaml|db)$/.test(key) &&
        !known.some((one) => one === key || one.startsWith(`${key}.`)),
    )
    expect(unknown).toEqual([])
  })

  test('links to files that exist', () => {
    const broken = [...text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !existsSync(join(root, dirname(path), target)))
    expect(broken).toEqual([])
  })
})

test('the picture of the README shows commands of the README and no password', () => {
  const picture = readFileSync(join(root, 'docs/first-push.svg'), 'utf8')
  const shown = [...picture.matchAll(/>\$ (.*?)<\/text>/g)].map(([, line = '']) =>
    line.replaceAll('&lt;', '<'),
  )
  const commands = readConsoleBlocks(readFileSync(join(root, 'README.md'), 'utf8')).map(({ line }) => line)
  expect(shown.length).toBeGreaterThan(2)
  expect(shown.filter((line) => !commands.includes(line))).toEqual([])
  expect(picture).not.toMatch(/\b(?!xxxx)[a-z2-9]{4}(?:-[a-z2-9]{4}){4}\b/)
})

test('operations.md names all metrics of the registry and no other', () => {
  const text = readFileSync(join(root, 'docs/operations.md'), 'utf8')
  const named = new Set(text.match(/lading_[a-z_]+/g))
  const known = new Set(
    sources
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .flatMap((file) => [
        ...readFileSync(join(root, 'src', file), 'utf8').matchAll(/name: '(lading_[a-z_]+)'/g),
      ])
      .map(([, name = '']) => name),
  )
  // A constant that has the version as a label.
  known.delete('lading_build_info')
  expect([...named].toSorted()).toEqual([...known].toSorted())
})

test('ARCHITECTURE.md names source files that exist', () => {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
  const missing = [...text.matchAll(/`([a-z0-9/-]+\.ts)`/g)]
    .map(([, file = '']) => file)
    .filter((file) => !sources.some((one) => one === file || one.endsWith(`/${file}`)))
    .filter((file) => !existsSync(join(root, file)))
  expect(missing).toEqual([])
})
