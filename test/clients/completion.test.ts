/** The scripts of `lading completion` in real shells: what is typed with Tab at its end is completed. */
import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runLading } from '../support/processes/run-lading.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'

/** Prints what it was called with, in place of `lading`. */
const standIn = 'lading() { printf "ARGS<%s>\\n" "$*"; }'

const shells = {
  bash: { program: 'bash --norc -i', start: (script: string) => `source ${script}` },
  zsh: {
    program: 'zsh -f -i',
    start: (script: string) => `autoload -U compinit; compinit -u -D; source ${script}`,
  },
}

async function writeScript(shell: string, folder: string): Promise<string> {
  const path = join(folder, `lading.${shell}`)
  writeFileSync(path, `${(await runLading(`completion ${shell}`)).out}\n`)
  return path
}

/** Types the line, Tab and Enter at a terminal of the shell, and returns what the shell then runs. */
async function complete(shell: keyof typeof shells, line: string): Promise<string> {
  await using folder = await tempFolder()
  const { program, start } = shells[shell]
  const script = await writeScript(shell, folder.path)
  writeFileSync(join(folder.path, 'a backup.tar'), '')
  const env = { PATH: process.env['PATH'], HOME: folder.path, TERM: 'dumb', PS1: '> ' }
  const child = spawn('script', ['-qec', program, '/dev/null'], { cwd: folder.path, env, stdio: 'pipe' })
  let screen = ''
  const seen = (pattern: RegExp): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const look = (): void => {
      const [, found] = pattern.exec(screen) ?? []
      if (found !== undefined) resolve(found)
    }
    child.stdout.on('data', look)
    child.on('close', () => reject(new Error(`the shell ended: ${screen}`)))
    look()
    return promise
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text))
  try {
    child.stdin.write(`${standIn}; ${start(script)}; printf 'RE%s\\n' ADY\n`)
    await seen(/(READY)/)
    child.stdin.write(`${line}\t\n`)
    return await seen(/ARGS<([^%>]*)>/)
  } finally {
    child.kill('SIGKILL')
  }
}

const lines = [
  ['lading user prom', 'user promote'],
  ['lading tea', 'team'],
  ['lading org member rem', 'org member remove'],
  ['lading org create acme --visibility int', 'org create acme --visibility internal'],
  ['lading org create acme --visibility=int', 'org create acme --visibility=internal'],
  ['lading access explain bob push:c', 'access explain bob push:create'],
  ['lading token create bob --action pull,push:c', 'token create bob --action pull,push:create'],
  ['lading serve --log.level inf', 'serve --log.level info'],
  ['lading --http.publ', '--http.publicUrl'],
  ['lading --json user prom', '--json user promote'],
  ['lading --data there --log.lev', '--data there --log.level'],
  ['lading backup ver', 'backup verify'],
  ['lading backup a', 'backup a backup.tar'],
  ['lading serve --http.tls.cert a', 'serve --http.tls.cert a backup.tar'],
  ['lading help user prom', 'help user promote'],
  ['lading completion fi', 'completion fish'],
  ['lading audit search --action signing-key.ro', 'audit search --action signing-key.rotate'],
] as const

describe.each(['bash', 'zsh'] as const)('%s', (shell) => {
  test.each(lines)('completes %s', async (line, expected) => {
    expect((await complete(shell, line)).trimEnd().replace(/,$/, '')).toBe(expected)
  })
})

describe('fish', () => {
  test.each(lines)('completes %s', async (line, expected) => {
    await using folder = await tempFolder()
    writeFileSync(join(folder.path, 'a backup.tar'), '')
    const script = await writeScript('fish', folder.path)
    const { stdout, stderr } = spawnSync(
      'fish',
      ['--no-config', '-c', `source ${script}; complete -C ${JSON.stringify(line)}`],
      { cwd: folder.path, env: { PATH: process.env['PATH'], HOME: folder.path }, encoding: 'utf8' },
    )
    expect(stderr).toBe('')
    const replies = stdout.split('\n').map((reply) => reply.split('\t')[0])
    const word = expected.endsWith('a backup.tar') ? 'a backup.tar' : expected.split(' ').at(-1)
    expect(replies).toContain(word)
  })
})
