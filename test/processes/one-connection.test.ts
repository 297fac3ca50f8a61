/**
 * The effect of one client with many requests at once on other clients: a registry process with a small heap, and a second client
 * that sends requests all the time.
 */
import { readFile } from 'node:fs/promises'
import http from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask } from '../support/http/client.ts'
import { anArtifact, pushImage } from '../support/content/manifests.ts'
import type { TestManifest } from '../support/content/manifests.ts'
import { RawConnection, statusesIn } from '../support/http/raw-connection.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'

const mebibyte = 1024 * 1024
/** The pushes raise the process to 280 to 310 MiB, and the attacks add little (measured on Linux, Node 26). */
const mostResidentMiB = 600
const manifestCount = 4
const tagsPerPut = 100

let registry: RunningRegistry
let manifests: readonly TestManifest[]

beforeAll(async () => {
  registry = await startRegistry({
    env: {
      NODE_OPTIONS: '--max-old-space-size=256',
      LADING_LIMITS_REPLY_MEMORY_BYTES: String(64 * mebibyte),
    },
  })
  const url = `${registry.url}/v2/a/b`
  manifests = Array.from({ length: manifestCount }, () =>
    anArtifact({ annotations: { large: 'x'.repeat(9 * mebibyte) } }),
  )
  for (const manifest of manifests) await pushImage(url, manifest)
  await pushTags(url, 5_000)
}, 60_000)

afterAll(async () => {
  await registry[Symbol.asyncDispose]()
})

/** Pushes tags of the greatest length, so that a page of them has 650 KB. */
async function pushTags(url: string, count: number): Promise<void> {
  const manifest = anArtifact()
  await pushImage(url, manifest)
  for (let first = 0; first < count; first += tagsPerPut) {
    const names = Array.from({ length: tagsPerPut }, (_, i) => `tag=${String(first + i).padStart(128, '0')}`)
    const answer = await ask(`${url}/manifests/${manifest.digest}?${names.join('&')}`, {
      method: 'PUT',
      body: manifest.bytes,
      headers: { 'content-type': manifest.mediaType },
    })
    expect(answer.status).toBe(201)
  }
}

async function peakResidentMiB(): Promise<number> {
  const status = await readFile(`/proc/${registry.pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1024
}

/**
 * Sends requests until `work` ends. The response times are not judged: on a busy machine they say more about the machine. Tests
 * of `TurnBudget` and `ColdReads` count the work of one turn instead.
 */
async function askDuring(work: () => Promise<void>): Promise<void> {
  const agent = new http.Agent({ keepAlive: true })
  const done = new AbortController()
  const asking = (async () => {
    do {
      for (const path of ['', `a/b/tags/list?n=10`]) {
        expect((await ask(`${registry.url}/v2/${path}`, { agent })).status).toBe(200)
      }
    } while (!done.signal.aborted)
  })()
  try {
    await work()
  } finally {
    done.abort()
    await asking
    agent.destroy()
  }
}

const get = (path: string): string => `GET /v2/a/b/${path} HTTP/1.1\r\nHost: x\r\n\r\n`
const pathOf = (index: number): string => `manifests/${manifests[index % manifestCount]?.digest}`

async function expectUnharmed(work: () => Promise<void>): Promise<void> {
  await askDuring(work)
  expect(await peakResidentMiB()).toBeLessThan(mostResidentMiB)
}

/** Opens connections that each send all their requests in one write, for which the registry closes them. */
async function pipeline(path: string, count: number): Promise<void> {
  const connections = await Promise.all(Array.from({ length: 3 }, () => RawConnection.open(registry.url)))
  try {
    for (const connection of connections) connection.write(get(path).repeat(count))
    await Promise.all(connections.map((connection) => connection.untilClosed()))
    // The first may have been answered; the connection was closed before the others.
    for (const { received } of connections) expect(statusesIn(received.slice(0, 1000)).length).toBeLessThan(2)
  } finally {
    for (const connection of connections) connection[Symbol.dispose]()
  }
}

describe('one client with many requests at once does not block other clients', () => {
  test('with 500 pipelined requests for a manifest of 9 MiB', async () => {
    await expectUnharmed(() => pipeline(pathOf(0), 500))
  })

  test('with 600 pipelined requests for a long list', async () => {
    await expectUnharmed(() => pipeline('tags/list', 600))
  })

  // Sixteen lists on each connection, the most that may wait; the first few megabytes stay in the socket buffers.
  test('with 100 connections that request ten megabytes of lists each and never read', async () => {
    const connections = await Promise.all(Array.from({ length: 100 }, () => RawConnection.open(registry.url)))
    try {
      await expectUnharmed(async () => {
        for (const connection of connections) {
          connection.pause()
          connection.write(get('tags/list').repeat(16))
        }
        // Lasts for 50 requests of another client.
        for (let i = 0; i < 50; i++) {
          expect((await ask(`${registry.url}/healthz`)).status).toBe(200)
        }
      })
    } finally {
      for (const connection of connections) connection[Symbol.dispose]()
    }
    expect((await ask(`${registry.url}/v2/a/b/${pathOf(1)}`)).body.length).toBe(manifests[1]?.size)
  }, 60_000)

  // With a buffer per chunk this would take 300 MiB; joined chunks take ten.
  test('with a manifest in a million chunks of one byte', async () => {
    const before = await peakResidentMiB()
    using connection = await RawConnection.open(registry.url)
    await expectUnharmed(async () => {
      connection.write(
        'PUT /v2/a/b/manifests/crumbs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
      )
      connection.write('1\r\n \r\n'.repeat(1_000_000))
      connection.write('0\r\n\r\n')
      await connection.until((received) => received.includes('MANIFEST_INVALID'))
    })
    expect((await peakResidentMiB()) - before).toBeLessThan(100)
  }, 60_000)
})
