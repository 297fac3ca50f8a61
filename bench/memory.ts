/**
 * @module `node bench/memory.ts`: measures the server's memory with slow peers. 100 clients read a 1 GiB blob slowly while 100
 * others announce a 1 GiB upload and send 64 MiB of it slowly; all are cut at the end. Exits 1 when the server's memory exceeded
 * the bound. `--only reads` and `--only uploads` measure one half.
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'

import { requestHead, RawConnection } from './load/connection.ts'
import { startUpload } from './load/push.ts'
import { freshContent, putLargeBlob } from './load/transfer.ts'
import { runningTarget, startLading } from './peers.ts'
import { peakRssMiB, processCost } from './process-stats.ts'
import type { Target } from './target.ts'
import { repositoryUrl } from './target.ts'

const mebibyte = 1024 * 1024
const blobBytes = 1024 * mebibyte
const sentBytes = 64 * mebibyte
const boundMiB = 300
const clients = 100
const paceMs = 20_000
const deadlineMs = 180_000
const lingerMs = 2_000
const sampleMs = 100
const stepMs = 100
const readStepBytes = 128 * 1024
/** Far more than socket buffers hold, so that the server itself waited for each reader. */
const minimumReadBytes = 16 * mebibyte
/** The bytes per step: 64 MiB in about 20 s, if the machine is fast enough. */
const sendStepBytes = Math.ceil((sentBytes / paceMs) * stepMs)

interface Moved {
  bytes: number
  /** The number of clients that lost their connection before the end. */
  failed: number
}

process.exitCode = await main()

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      subject: { type: 'string' },
      from: { type: 'string', default: 'dist' },
      only: { type: 'string' },
    },
  })
  await using cleanup = new AsyncDisposableStack()
  const from = values.from === 'source' ? 'source' : 'dist'
  const target =
    values.subject === undefined
      ? cleanup.use(await startLading({ from, env: {} }))
      : runningTarget({ name: 'subject', url: values.subject })
  if (target.pid === undefined) throw new Error(`the process behind ${target.url} is not on this machine`)
  const readers = values.only === 'uploads' ? 0 : clients
  const writers = values.only === 'reads' ? 0 : clients
  return await proveBound(target, { pid: target.pid, readers, writers })
}

interface Proof {
  readonly pid: number
  readonly readers: number
  readonly writers: number
}

async function proveBound(target: Target, { pid, readers, writers }: Proof): Promise<number> {
  const repository = repositoryUrl(target, 'bench/memory')
  const content = freshContent(blobBytes)
  await putLargeBlob(repository, content)
  const idleMiB = processCost(pid)?.rssMiB ?? Number.NaN
  const ended = new AbortController()
  const read: Moved = { bytes: 0, failed: 0 }
  const sent: Moved = { bytes: 0, failed: 0 }
  const blobUrl = new URL(`${repository}/blobs/${content.digest}`)
  const work = [
    ...Array.from({ length: readers }, () => slowRead(blobUrl, { moved: read, signal: ended.signal })),
    ...Array.from({ length: writers }, () => slowUpload(repository, { moved: sent, signal: ended.signal })),
  ]
  const highestMiB = await sampleRss(pid, () =>
    writers === 0 ? read.bytes >= readers * minimumReadBytes : sent.bytes >= writers * sentBytes,
  )
  ended.abort()
  await Promise.all(work)
  const peakMiB = Math.max(highestMiB, peakRssMiB(pid))
  console.log(
    `${readers} slow GETs took ${toMiB(read.bytes)} MiB (${read.failed} lost), ` +
      `${writers} slow uploads sent ${toMiB(sent.bytes)} MiB (${sent.failed} lost)`,
  )
  console.log(
    `RSS: ${idleMiB.toFixed(0)} MiB before, ${peakMiB.toFixed(0)} MiB at most, bound ${boundMiB} MiB`,
  )
  const isProof = read.failed + sent.failed === 0 && sent.bytes >= writers * sentBytes
  if (!isProof)
    console.log('this run proves nothing: clients lost their connections or did not send everything')
  return isProof && peakMiB <= boundMiB ? 0 : 1
}

interface ClientOptions {
  readonly moved: Moved
  readonly signal: AbortSignal
}

/** Reads a little from the socket at a time, so that the server's writes wait. */
async function slowRead(url: URL, { moved, signal }: ClientOptions): Promise<void> {
  await withSocket(url, { moved, signal }, async (socket) => {
    socket.pause()
    socket.write(requestHead('GET', url))
    while (!signal.aborted) {
      const chunk = socket.read(Math.min(readStepBytes, Math.max(socket.readableLength, 1))) as Buffer | null
      moved.bytes += chunk?.length ?? 0
      await delay(stepMs)
    }
  })
}

async function slowUpload(repository: string, { moved, signal }: ClientOptions): Promise<void> {
  using connection = await RawConnection.open(repository)
  const url = await startUpload(connection, repository)
  await withSocket(url, { moved, signal }, async (socket) => {
    const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': blobBytes }
    socket.write(requestHead('PATCH', url, headers))
    const step = Buffer.alloc(sendStepBytes, 7)
    for (let left = sentBytes; left > 0 && !signal.aborted; left -= step.length) {
      const piece = step.subarray(0, left)
      if (!socket.write(piece)) await once(socket, 'drain', { signal })
      moved.bytes += piece.length
      await delay(stepMs)
    }
    if (!signal.aborted) await once(signal, 'abort')
  })
}

async function withSocket(
  url: URL,
  { moved, signal }: ClientOptions,
  work: (socket: Socket) => Promise<void>,
): Promise<void> {
  const socket = connect(Number(url.port), url.hostname)
  // Without a listener a reset would end this process instead of being counted.
  socket.on('error', () => undefined)
  socket.on('close', () => {
    if (!signal.aborted) moved.failed += 1
  })
  try {
    await once(socket, 'connect')
    await work(socket)
  } catch (error) {
    if (!signal.aborted) console.error(String(error))
  } finally {
    socket.destroy()
  }
}

/** Samples until everything is sent and a little longer, at most until the deadline. */
async function sampleRss(pid: number, isSent: () => boolean): Promise<number> {
  let end = performance.now() + deadlineMs
  let highest = 0
  while (performance.now() < end) {
    highest = Math.max(highest, processCost(pid)?.rssMiB ?? Number.POSITIVE_INFINITY)
    if (isSent()) end = Math.min(end, performance.now() + lingerMs)
    await delay(sampleMs)
  }
  return highest
}

function toMiB(bytes: number): string {
  return (bytes / mebibyte).toFixed(0)
}
