/** Plays against the whole management API, as different callers: no fault, and nothing that the document does not say. */
import { expect, test } from 'vitest'
import { createPasswordHasher } from '../../../src/auth/password-hash.ts'
import { basic, passwordOf } from '../../support/identity-server.ts'
import { startInProcess } from '../../support/in-process.ts'
import { tempFolder } from '../../support/temp-folder.ts'
import { runSchemathesis } from './run-schemathesis.ts'
import { tester } from '../../support/tester.ts'

/** Hashes are cheap here, and failed logins cost no time: the throttle has tests of its own. */
const quickLogins = {
  passwords: createPasswordHasher({ cost: { memoryKib: 64, passes: 1 } }),
  throttle: { sleep: () => Promise.resolve() },
}

test.concurrent.each(['root', 'bob', undefined])('Schemathesis finds nothing as %s', async (name) => {
  await using folder = await tempFolder()
  await using registry = await startInProcess({ auth: { anonymous: 'pull' }, deps: { auth: quickLogins } })
  const { accounts } = registry.app.auth
  await accounts.add({ name: 'root', password: passwordOf('root'), isAdmin: true }, tester)
  await accounts.add({ name: 'bob', password: passwordOf('bob'), isAdmin: false }, tester)
  const { ok, output } = await runSchemathesis(registry.url, {
    authorization: name === undefined ? undefined : basic(name),
    cwd: folder.path,
  })
  expect(ok ? '' : output).toBe('')
})
