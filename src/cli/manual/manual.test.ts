/** Help, manual, man page and completion agree, because they are generated from one table. */
import { describe, expect, test } from 'vitest'
import { runLading } from '../../../test/support/processes/run-lading.ts'
import { commands } from '../commands.ts'
import { createCompletionModel } from './completion/model.ts'
import { formatManPage } from './man-page.ts'
import { describeCommands } from './markdown.ts'

const groups = [...new Set(commands.map(({ name }) => name.split(' ').slice(0, -1).join(' ')))].filter(
  Boolean,
)

describe('help', () => {
  test.each(groups)('lading %s --help lists the commands of the group', async (group) => {
    const { code, out } = await runLading(`${group} --help`)
    expect(code).toBe(0)
    const members = commands.filter(({ name }) => name.startsWith(`${group} `))
    for (const { name } of members) expect(out).toMatch(new RegExp(`^ {2}${name} {2}`, 'm'))
  })

  test.each(groups.filter((group) => !commands.some(({ name }) => name === group)))(
    'lading %s alone exits with 2 and lists them too',
    async (group) => {
      const { code, err } = await runLading(group)
      expect(code).toBe(2)
      expect(err).toContain(`${group} is a group of commands; use one of: ${group} `)
    },
  )

  test('shows defaults and choices of the configuration', async () => {
    const { out } = await runLading('serve --help')
    const line = (flag: string) => out.split('\n').find((one) => one.includes(`  ${flag} `)) ?? ''
    expect(line('--http.host, --host')).toMatch(/Default: 127\.0\.0\.1\.$/)
    expect(line('--log.level')).toMatch(/One of trace, debug, .*silent\. Default: info\.$/)
    expect(line('--delete.enabled')).toMatch(/^ {2}--delete\.enabled true\|false .* Default: (true|false)\.$/)
    expect(line('--metadata.url')).not.toContain('Default')
  })

  test('shows defaults and choices of options, choices of arguments, and exit codes', async () => {
    const create = (await runLading('org create --help')).out
    expect(create).toMatch(/--visibility private\|internal\|public {2}.*Default: public\.$/m)
    const explain = (await runLading('access explain --help')).out
    expect(explain).toMatch(/^Arguments:\n {2}<action> {2}One of pull, push, /m)
    expect(explain).toContain('1 on failure or if the access is refused, 2 if the command line is wrong')
  })
})

describe('the manual', () => {
  const manual = describeCommands(commands)
  const page = formatManPage(commands)

  test.each(commands.map(({ name }) => name))('explains %s', (name) => {
    expect(manual).toMatch(new RegExp(`^### \`lading ${name}[ \`]`, 'm'))
    expect(page.replaceAll('\\-', '-')).toMatch(new RegExp(`^\\.B lading ${name}( |$)`, 'm'))
  })

  test('the man page has no line that roff reads as an unknown request', () => {
    const requests = page.split('\n').filter((line) => /^['.]/.test(line))
    expect([...new Set(requests.map((line) => String(line.split(' ')[0])))].toSorted()).toEqual(
      ['.B', '.I', '.RE', '.RS', '.SH', '.SS', '.TH', '.TP', '.\\"'].toSorted(),
    )
  })
})

describe('completion', () => {
  test('knows every option either as a switch or with a value, the same in all commands', () => {
    const { commands: rows, configOptions, switches } = createCompletionModel(commands)
    const all = [...rows.flatMap(({ options }) => options), ...configOptions]
    const valued = all.filter(({ value }) => value !== undefined).flatMap(({ names }) => names)
    expect(valued.filter((name) => switches.includes(name))).toEqual([])
  })

  test.each(['bash', 'zsh', 'fish'])('prints a script for %s, also as JSON', async (shell) => {
    const { out } = await runLading(`completion ${shell}`)
    expect(out).toContain(`lading completion ${shell}`)
    expect((await runLading(`completion ${shell} --json`)).json()).toEqual({ shell, script: `${out}\n` })
  })

  test('refuses another shell', async () => {
    expect(await runLading('completion tcsh')).toMatchObject({
      code: 2,
      err: expect.stringContaining('<shell> must be one of bash, zsh, fish'),
    })
  })
})
