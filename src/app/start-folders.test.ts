/** Tests what a failed start removes while another start in the same folder succeeds. */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { silentLog } from '../../test/support/parts/silent-log.ts'
import { tempFolder } from '../../test/support/processes/temp-folder.ts'
import { configSchema } from '../config/schema.ts'
import { systemClock } from '../lib/clock.ts'
import { systemIds } from '../lib/ids.ts'
import { openStore } from './open-store.ts'
import { watchStartFolders } from './start-folders.ts'

const deps = { clock: systemClock, ids: systemIds, logger: silentLog }

test('a failed start removes the folders of its store', async () => {
  await using folder = await tempFolder()
  const config = configSchema.parse({ data: join(folder.path, 'data') })
  {
    await using _started = await watchStartFolders(config)
    await using _store = await openStore(config, deps)
    expect(existsSync(config.data)).toBe(true)
  }
  expect(existsSync(config.data)).toBe(false)
})

test('a failed start leaves the folders of a store that another start has claimed', async () => {
  await using folder = await tempFolder()
  const config = configSchema.parse({ data: join(folder.path, 'data') })
  const failing = await watchStartFolders(config)
  await using store = await openStore(config, deps)
  await store.writeInstallationId('installation-1')
  await failing[Symbol.asyncDispose]()
  expect(await readdir(join(config.data, 'store'))).toContain('uploads')
  expect(await readdir(join(config.data, 'store', 'blobs'))).toHaveLength(256)
  await store.ping()
})
