/**
 * @module Clients that send or read this many bytes a second, in ten portions: an honest client on a slow line, or one that tries
 * to keep a server busy. The line itself is not simulated: each portion travels at once.
 */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { openResponse } from '../http/client.ts'

const portionsPerSecond = 10

/** Yields the bytes in portions, for a body or a raw connection. */
export async function* slowly(bytes: Uint8Array, bytesPerSecond: number): AsyncGenerator<Uint8Array> {
  const portion = Math.max(1, Math.round(bytesPerSecond / portionsPerSecond))
  for (let start = 0; start < bytes.length; start += portion) {
    yield bytes.subarray(start, start + portion)
    await sleep(1000 / portionsPerSecond)
  }
}

/** Reads a reply to its end and returns the digest of its body. Throws when the server ends it early. */
export async function readSlowly(url: string, bytesPerSecond: number): Promise<string> {
  const response = await openResponse(url)
  const hash = createHash('sha256')
  const portion = bytesPerSecond / portionsPerSecond
  let due = 0
  for await (const piece of response) {
    const bytes = piece as Buffer
    hash.update(bytes)
    for (due += bytes.length; due >= portion; due -= portion) await sleep(1000 / portionsPerSecond)
  }
  return `sha256:${hash.digest('hex')}`
}
