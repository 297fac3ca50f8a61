/**
 * @module Clients that send or take so many bytes a second, in ten portions: an honest one behind a thin line, or one
 * that wants to keep a server busy. The line itself is not simulated: each portion travels at once.
 */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { openResponse } from '../client.ts'

const portionsPerSecond = 10

/** The bytes a piece at a time, for a body or a raw connection. */
export async function* slowly(bytes: Uint8Array, bytesPerSecond: number): AsyncGenerator<Uint8Array> {
  const portion = Math.max(1, Math.round(bytesPerSecond / portionsPerSecond))
  for (let start = 0; start < bytes.length; start += portion) {
    yield bytes.subarray(start, start + portion)
    await sleep(1000 / portionsPerSecond)
  }
}

/** Reads a reply to its end; returns the digest of its body. Throws when the server ends it before. */
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
