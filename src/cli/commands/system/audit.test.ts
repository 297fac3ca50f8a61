import { describe, expect, test } from 'vitest'
import { startInProcess } from '../../../../test/support/parts/in-process.ts'
import { runLading } from '../../../../test/support/processes/run-lading.ts'

const password = 'a password of some length'

async function startWithUsers() {
  const registry = await startInProcess({})
  const lading = (line: string, stdin?: string) =>
    runLading(line, { env: { LADING_DATA: registry.dataDir }, ...(stdin !== undefined && { stdin }) })
  for (const name of ['alice', 'bob']) await lading(`user add ${name} --password-stdin`, password)
  await lading('user disable bob')
  return { registry, lading, [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() }
}

interface Event {
  readonly at: string
  readonly action: string
  readonly target?: { readonly name: string }
}

const told = (events: readonly Event[]) => events.map(({ action, target }) => `${action} ${target?.name}`)

describe('audit', () => {
  test('search shows the actions of the command line, and filters them', async () => {
    await using given = await startWithUsers()
    const search = async (flags: string) =>
      told((await given.lading(`audit search --json ${flags}`)).json() as Event[])
    const made = ['user.create bob', 'user.create alice', 'user.create admin']
    expect(await search('')).toEqual(['user.disable bob', ...made])
    expect(await search('--action user.create')).toEqual(made)
    expect(await search('--target bob --limit 1')).toEqual(['user.disable bob'])
    expect(await search('--target alice/ --outcome done --since 1h')).toEqual(['user.create alice'])
    expect(await search('--since 2999-01-01')).toEqual([])
    expect(await search('--until 1h')).toEqual([])
    expect(await search('--actor nobody')).toEqual([])
  })

  test('search prints a table for people', async () => {
    await using given = await startWithUsers()
    const { out } = await given.lading('audit search --action user.disable')
    expect(out).toMatch(/^TIME +ACTION +OUTCOME +ACTOR +TARGET +FROM +DETAIL\n/)
    expect(out).toMatch(/\n20\d\d-\S+Z +user\.disable +done +operator \S* +bob +-$/)
  })

  test('export writes one JSON value per line, oldest first, and no secret (G1)', async () => {
    await using given = await startWithUsers()
    const { out, code } = await given.lading('audit export')
    expect(code).toBe(0)
    const events = out.split('\n').map((line) => JSON.parse(line) as Event)
    const made = ['user.create admin', 'user.create alice', 'user.create bob']
    expect(told(events)).toEqual([...made, 'user.disable bob'])
    expect(out).not.toContain(password)
  })

  test.each([
    ['--action user.creat', '--action must be one of', 'did you mean user.create?'],
    ['--outcome maybe', '--outcome must be one of', 'granted'],
    ['--since yesterday', 'yesterday is not a valid time', '7d'],
    ['--since 2026-13-01', '2026-13-01 is not a valid time', ''],
    ['--limit 0', '--limit must be a number from 1 to 10000', ''],
  ])('search refuses %s and says what to write', async (flags, ...words) => {
    await using given = await startWithUsers()
    const { code, err } = await given.lading(`audit search ${flags}`)
    expect(code).toBe(2)
    for (const word of words) expect(err).toContain(word)
  })

  test('nothing changes or removes a single event', async () => {
    const { commands } = await import('../../commands.ts')
    const names = commands.map(({ name }) => name).filter((name) => name.startsWith('audit'))
    expect(names).toEqual(['audit search', 'audit export'])
  })
})
