import { expect, test } from 'vitest'

import { runReadme } from './readme-run.ts'

test('the commands of the README work in their order, from a fresh copy, and print what it shows', async () => {
  const { commands, terminal } = await runReadme()
  expect(commands.length).toBeGreaterThan(10)
  const [install] = commands
  expect(install?.line).toBe('npm ci')
  expect(install?.printed).not.toMatch(/\bwarn/i)

  // Three clients push an image each: that is three lines at the terminal of the server, after the three of its start.
  const lines = terminal.split('\n').filter((line) => line !== '')
  expect(lines.slice(3)).toEqual(
    ['v1', 'v2', 'v3'].map((tag) =>
      expect.stringMatching(
        new RegExp(
          `info  image pushed repository=acme/web tag=${tag} digest=sha256:[0-9a-f]{12} .*user=admin`,
        ),
      ),
    ),
  )
})
