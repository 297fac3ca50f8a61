import { expect, test } from 'vitest'

import { runReadme } from './readme-run.ts'

test('the commands of the README work in their order, from a fresh copy, and print what it shows', async () => {
  const ran = await runReadme()
  expect(ran.length).toBeGreaterThan(10)
  const [install] = ran
  expect(install?.line).toBe('npm ci')
  expect(install?.printed).not.toMatch(/\bwarn/i)
})
