/** The man page as groff formats it, which `scripts/tools/debian-packages.sh` installs. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runClient } from './run-client.ts'

const page = readFileSync(join(import.meta.dirname, '../../man/lading.1'), 'utf8')

test('groff formats the man page without a warning', async () => {
  const flags = ['-man', '-Tascii', '-P-cbou', '-ww', '-rLL=100n']
  const { stdout, stderr } = await runClient('groff', flags, { stdin: page })
  expect(stderr).toBe('')
  expect(stdout).toMatch(/lading access explain <principal> <action> <repository>/)
  expect(stdout).toMatch(/--visibility private\|internal\|public/)
})
