/** A thread that hashes uploads; started by `hash-thread.ts`. It answers each request, in order. */
/* oxlint-disable unicorn/require-post-message-target-origin -- threads have no origin, windows do */
import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import type { HashReply, HashRequest } from './hash-thread.ts'

const hashes = new Map<number, Hash>()

parentPort?.on('message', (request: HashRequest) => parentPort?.postMessage(answer(request)))

function answer({ id, algorithm, step }: HashRequest): HashReply {
  const hash = hashes.get(id) ?? createHash(algorithm)
  if (step === 'finish' || step === 'abandon') {
    hashes.delete(id)
    return step === 'finish' ? hash.digest('hex') : undefined
  }
  hashes.set(id, hash)
  hash.update(step)
  return undefined
}
