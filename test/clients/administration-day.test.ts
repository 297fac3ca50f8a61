/** Runs the script beside this file against a registry with the default rights. */
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { anOciLayout } from '../support/content/oci-layout.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import { runClient } from './run-client.ts'

const script = join(import.meta.dirname, 'administration-day.sh')
const lading = join(import.meta.dirname, '../../bin/lading.js')

test('a day of administration needs only README and --help', async () => {
  await using registry = await startRegistry({ env: { LADING_AUTH_ANONYMOUS: 'pull' } })
  await using layout = await anOciLayout()
  await using work = await tempFolder()
  const { stdout } = await runClient('bash', [script], {
    env: {
      LADING: lading,
      LADING_DATA: registry.dataDir,
      REGISTRY: registry.host,
      IMAGE: layout.path,
      WORK: work.path,
    },
  })
  const sections = new Map(
    stdout.split('\n## ').map((text) => [text.slice(0, text.indexOf('\n')), text] as const),
  )
  const refused = sections.get('a push that is refused, and why')
  expect(refused).toMatch(
    /the access token of robot acme\+ci is limited to repositories other than acme\/billing/,
  )
  expect(refused).toMatch(/denied because no grant to robot acme\+ci/)
  expect(refused).toMatch(/allowed because grant \d+ gives writer on acme\/web/)
  expect(sections.get('a token that is revoked while a push runs')).toContain('token from before: 401')
  const audit = sections.get('what the audit says') ?? ''
  expect(audit).toMatch(/tag\.create.*acme\/web\/shop/)
  expect(audit).toMatch(/push +denied +acme\+ci +acme\/billing/)
  expect(audit).toMatch(/access-token\.revoke +done/)
})
