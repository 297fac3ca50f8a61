import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startInProcess } from '../../../../test/support/parts/in-process.ts'
import { runLading } from '../../../../test/support/processes/run-lading.ts'
import { tempFolder } from '../../../../test/support/processes/temp-folder.ts'
import { findInstallation, findStoreJudgement } from '../../../metadata/system/installation.ts'

describe('gc --accept-store', () => {
  test('records the acceptance and the operator in the audit', async () => {
    await using registry = await startInProcess()
    const env = { LADING_DATA: registry.dataDir }
    const { reader } = registry.app.metadata
    const before = Date.now()
    const { code, json } = await runLading('gc --accept-store --json', { env })
    expect(code).toBe(0)
    expect(json()).toEqual({
      installation: await findInstallation(reader),
      acceptedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    })
    expect((await findStoreJudgement(reader))?.acceptedAt).toBeGreaterThanOrEqual(before)
    const events = (await runLading('audit search --action store.accept --json', { env })).json()
    expect(events).toMatchObject([{ action: 'store.accept', outcome: 'done' }])
  })

  test('requires --accept-store, because gc does nothing else', async () => {
    await using registry = await startInProcess()
    const { code, err } = await runLading('gc', { env: { LADING_DATA: registry.dataDir } })
    expect(code).toBe(2)
    expect(err).toContain('lading gc --accept-store')
    expect((await findStoreJudgement(registry.app.metadata.reader))?.acceptedAt).toBeUndefined()
  })

  test('refuses a store of another installation, and records nothing', async () => {
    await using registry = await startInProcess()
    const { dataDir, app } = registry
    await writeFile(join(dataDir, 'store', 'installation'), 'another\n')
    const { code, err } = await runLading('gc --accept-store', { env: { LADING_DATA: dataDir } })
    expect(code).toBe(1)
    expect(err).toContain('belongs to installation another')
    expect((await findStoreJudgement(app.metadata.reader))?.acceptedAt).toBeUndefined()
  })

  test('refuses a database that never had a store', async () => {
    await using folder = await tempFolder()
    await runLading(`migrate --data ${folder.path}`)
    const { code, err } = await runLading(`gc --accept-store --data ${folder.path}`)
    expect(code).toBe(1)
    expect(err).toContain('has no blob store yet')
  })
})
