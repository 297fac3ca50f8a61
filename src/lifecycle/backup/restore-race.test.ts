/** Tests a restore into an empty folder while a supervisor keeps starting a registry in it. */
import { expect, test } from 'vitest'
import { lading, startScene } from '../../../test/support/scenes/backup-scene.ts'
import { ask } from '../../../test/support/http/client.ts'
import { startInProcess } from '../../../test/support/parts/in-process.ts'
import { aRandomBlob } from '../../../test/support/content/random.ts'
import { silentLog } from '../../../test/support/parts/silent-log.ts'
import { databaseFile } from '../../app/data-folder.ts'
import { openStore, peekStore } from '../../app/open-store.ts'
import { configSchema } from '../../config/schema.ts'
import { systemClock } from '../../lib/clock.ts'
import { systemIds } from '../../lib/ids.ts'
import { sqliteRestoreDatabase } from '../../metadata/backup/restore-metadata.ts'
import { runRestore, type RestoreDeps } from './run-restore.ts'

/** `meanwhile` runs after the restore has found the folder empty, and before it claims the store. */
function restoreInto(data: string, place: string, meanwhile: () => Promise<void>) {
  const config = configSchema.parse({ data })
  const deps: RestoreDeps = {
    database: sqliteRestoreDatabase(databaseFile(config), systemClock),
    store: {
      async readState() {
        const { installationId: installation, isEmpty } = await peekStore(config)
        return { installation, isEmpty }
      },
      async open() {
        await meanwhile()
        return await openStore(config, { clock: systemClock, ids: systemIds, logger: silentLog })
      },
    },
    clock: systemClock,
    draft: `${databaseFile(config)}.restore`,
    onProgress: () => undefined,
  }
  const options = { place, snapshot: undefined, databaseOnly: false, skipDamaged: false }
  return runRestore(deps, options)
}

test('a registry that starts while a restore begins keeps its store, and the restore is refused', async () => {
  await using scene = await startScene(1)
  await lading(`backup ${scene.backups}`, scene.dataDir)
  const { digest, bytes } = aRandomBlob()
  const blobs = '/v2/acme/new/blobs'
  const restored = restoreInto(scene.restored, scene.backups, async () => {
    await using registry = await startInProcess({ dataDir: scene.restored })
    const push = { method: 'POST', body: bytes }
    expect((await ask(`${registry.url}${blobs}/uploads/?digest=${digest}`, push)).status).toBe(201)
  })
  await expect(restored).rejects.toThrow('a registry was started')
  await using registry = await startInProcess({ dataDir: scene.restored })
  expect((await ask(`${registry.url}${blobs}/${digest}`)).status).toBe(200)
})
