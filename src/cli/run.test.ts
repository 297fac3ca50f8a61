import { describe, expect, test } from 'vitest'
import { runLading as run } from '../../test/support/processes/run-lading.ts'
import { commands } from './commands.ts'

describe('the command line', () => {
  test.each(['help', '--help', '-h', 'help --json'])('%s lists every command', async (line) => {
    const { code, out } = await run(line)
    expect(code).toBe(0)
    for (const { name } of commands) expect(out).toContain(name)
  })

  test.each(['help config print', 'config print --help', 'config print --port 1 -h'])(
    '%s explains one command',
    async (line) => {
      const { code, out } = await run(line)
      expect(code).toBe(0)
      expect(out).toContain('Usage: lading config print [flags]')
      expect(out).toContain('--http.port, --port <integer>')
    },
  )

  test.each(['help backup', 'backup --help'])(
    '%s explains the command and names related commands',
    async (line) => {
      const { code, out } = await run(line)
      expect(code).toBe(0)
      expect(out).toContain('Usage: lading backup <dir|file.tar> [flags]')
      expect(out).toMatch(/^See also:\n {2}backup verify {2}Check/m)
    },
  )

  test('user add alice --help explains the command without its arguments', async () => {
    const { code, out } = await run('user add alice --help')
    expect(code).toBe(0)
    expect(out).toContain('Usage: lading user add <name> [flags]')
  })

  test.each(['help org', 'org --help'])('%s lists the commands of a group', async (line) => {
    const { code, out } = await run(line)
    expect(code).toBe(0)
    expect(out).toMatch(/^Usage: lading org <command> \[flags\]\n\nCommands:\n {2}org create /)
    expect(out).not.toContain('team create')
  })

  test.each([
    ['srve', 'unknown command srve; did you mean serve?'],
    ['conifg print', 'unknown command conifg print; did you mean config print?'],
    ['kubernetes', 'unknown command kubernetes; lading help lists the commands'],
    ['config', 'config is a group of commands; use one of: config print, config check'],
    [
      'org member',
      'org member is a group of commands; use one of: org member add, org member remove, org member list',
    ],
    ['version now', 'unexpected argument now: lading version'],
    ['help srve', 'unknown command srve; lading help lists the commands'],
  ])('%s exits with 2 and says why', async (line, message) => {
    expect(await run(line)).toMatchObject({ code: 2, out: '', err: `lading: ${message}` })
  })

  test.each(['version', '--version', '-v'])('%s prints the version', async (line) => {
    expect((await run(line)).out).toMatch(/^lading \d+\.\d+\.\d+ \(node \d+/)
  })

  test('version --json prints one JSON value', async () => {
    expect(JSON.parse((await run('version --json')).out)).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      node: process.versions.node,
    })
  })

  test('prints an error as JSON with --json', async () => {
    const { code, err } = await run('config print --prt 1 --json')
    expect(code).toBe(2)
    expect(JSON.parse(err)).toMatchObject({ error: { faults: ['unknown flag --prt; did you mean --port?'] } })
  })

  test.each([
    ['config print --port x', {}, 2],
    ['user list --http.port=x', {}, 2],
    ['config print --port', {}, 2],
    ['config print', { LADING_HTTP_PORT: 'x' }, 1],
    ['config print --host 127.0.0.1', { LADING_HTTP_PORT: 'x' }, 1],
  ])('%s with the variables %o exits with %i', async (line, env, code) => {
    expect(await run(line, { env })).toMatchObject({ code, out: '' })
  })

  test('serves without a command', async () => {
    const { code, err } = await run('--prt 1')
    expect(code).toBe(2)
    expect(err).toContain('unknown flag --prt; did you mean --port?')
  })
})

describe('config print', () => {
  test('prints YAML with the origin of each value', async () => {
    const { out } = await run('config print --port 1', { files: { './lading.yaml': 'data: /srv\n' } })
    expect(out).toContain('data: /srv # ./lading.yaml')
    expect(out).toContain('  port: 1 # --port')
    expect(out).toContain('  host: 127.0.0.1\n')
  })

  test.each(['config print', 'config print --json'])('G1: %s prints no secret', async (line) => {
    const env = {
      LADING_METADATA_DRIVER: 'postgres',
      LADING_METADATA_URL: 'postgres://u:hunter2@db/lading',
      LADING_ADMIN_PASSWORD: 'hunter2-of-the-administrator',
      LADING_METRICS_TOKEN: 'hunter2-of-the-metrics',
    }
    const { out } = await run(line, { env })
    expect(out.match(/\[redacted\]/g)).toHaveLength(3)
    expect(out).not.toContain('hunter2')
  })
})
