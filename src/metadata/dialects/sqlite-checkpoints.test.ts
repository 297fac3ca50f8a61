import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createTemporaryFolder } from '../contract/temporary-folder.ts'
import { Checkpoints } from './sqlite-checkpoints.ts'

test('close although their thread fails meanwhile', async () => {
  await using folder = await createTemporaryFolder()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const failed: unknown[] = []
  const checkpoints = new Checkpoints({
    file: join(folder.path, 'missing.db'),
    onFatal: (error) => failed.push(error),
    onError: (error) => failed.push(error),
  })
  checkpoints.noteCommit()
  vi.runAllTimers()
  await expect(checkpoints[Symbol.asyncDispose]()).resolves.toBeUndefined()
  expect(failed).toMatchObject([{ message: 'unable to open database file' }])
})
