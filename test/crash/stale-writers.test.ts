/** Two `lading serve` processes on one data folder, one of which keeps writing to a session that the other has finished. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'

import { expectStatus } from '../support/http/answers.ts'
import { ask, openRequest } from '../support/http/client.ts'
import { eventually } from '../support/eventually.ts'
import { aRandomBlob, aRepositoryName } from '../support/content/random.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import { cleanData, compareData, listBlobFiles, queryRows } from '../support/processes/stopped-data.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import { closeUpload, digestAt, startUpload } from '../support/uploads/upload-client.ts'

const kibibyte = 1024

async function twoProcesses() {
  const folder = await tempFolder('lading-two')
  const processes: RunningRegistry[] = []
  onTestFinished(async () => {
    for (const process of processes) await process[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })
  for (let count = 0; count < 2; count += 1) processes.push(await startRegistry({ dataDir: folder.path }))
  const [here, there] = processes
  if (here === undefined || there === undefined) throw new Error('two processes')
  return { dataDir: folder.path, here, there }
}

function at(registry: RunningRegistry, session: URL): URL {
  return new URL(`${session.pathname}${session.search}`, registry.url)
}

describe('a PATCH that continues in another process after the closing PUT', () => {
  test.for([
    { name: 'without Content-Range', headers: {} },
    { name: 'with Content-Range', headers: { 'content-range': '102400-1150975' } },
  ])('$name changes no byte of the blob', async ({ headers }) => {
    const { dataDir, here, there } = await twoProcesses()
    const name = aRepositoryName()
    const blob = aRandomBlob(100 * kibibyte)
    const session = await startUpload(`${here.url}/v2/${name}`)
    expectStatus(await ask(session.href, { method: 'PATCH', body: blob.bytes }), 202)

    await using late = openRequest(at(there, session).href, { method: 'PATCH', headers })
    await late.write(Buffer.alloc(10 * kibibyte, 'x'))
    await eventually(
      async () => queryRows(dataDir, 'select writer from upload')[0]?.['writer'],
      (writer) => typeof writer === 'string',
    )
    expectStatus(await closeUpload(session, blob.digest), 201)
    // More than the buffers of the process that lost the session, so that bytes reach any file that is still open.
    await late.write(Buffer.alloc(990 * kibibyte, 'x'))
    await late.write(Buffer.alloc(24 * kibibyte, 'x'))
    expectStatus(await late.end(), 404)

    for (const { url } of [here, there]) {
      expect(await digestAt(`${url}/v2/${name}/blobs/${blob.digest}`)).toBe(blob.digest)
    }
    const files = await listBlobFiles(dataDir, blob.digest)
    expect(files).toHaveLength(1)
    const stored = await readFile(join(dataDir, 'store', files[0] ?? ''))
    expect(`sha256:${createHash('sha256').update(stored).digest('hex')}`).toBe(blob.digest)
    for (const process of [here, there]) await process.stop()
    await cleanData(dataDir)
    expect(await compareData(dataDir)).toEqual([])
  })
})
