/**
 * @module Loaded into a registry before its program (`node --import`): ends the process, as `kill -9` does, at one call to the
 * file system. `KILL_AT` names it: `rename:2:after` is after the second rename, before the program learns of its success;
 * `before` is before the call. Calls are counted from SIGUSR2 on. Calls of SQLite itself are not seen, except for the sync that
 * makes its commits durable. Written data survives because the kernel keeps running, unlike in a power cut.
 */
import fs from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

type Call = (...given: unknown[]) => unknown

const [operation = '', wanted, moment] = (process.env['KILL_AT'] ?? '').split(':')
/** The name of the same function on a file handle. */
const handleNames: Readonly<Record<string, string>> = { fsync: 'sync', fdatasync: 'datasync' }
let isArmed = false
let calls = 0

process.on('SIGUSR2', () => {
  isArmed = true
  process.stderr.write('kill point armed\n')
})

function die(now: string, call: number): void {
  if (isArmed && now === moment && call === Number(wanted)) process.kill(process.pid, 'SIGKILL')
}

function enter(): number {
  if (isArmed) calls += 1
  die('before', calls)
  return calls
}

function withCallback(real: Call): Call {
  return (...given) => {
    const call = enter()
    const done = given.pop() as Call
    return real(...given, (...results: unknown[]) => {
      die('after', call)
      return done(...results)
    })
  }
}

function withPromise(real: Call): Call {
  return async function (this: unknown, ...given) {
    const call = enter()
    const result = await real.apply(this, given)
    die('after', call)
    return result
  }
}

function replace(owner: object, name: string | undefined, wrap: (real: Call) => Call): void {
  const real = Object.getOwnPropertyDescriptor(owner, name ?? '')?.value as Call | undefined
  if (real !== undefined) Object.assign(owner, { [name ?? '']: wrap(real) })
}

const handle = await open('/proc/self/status')
const prototype = Object.getPrototypeOf(handle) as FileHandle
await handle.close()
replace(fs, operation, withCallback)
replace(fs.promises, operation, withPromise)
replace(prototype, handleNames[operation], withPromise)
syncBuiltinESMExports()
