/** Checks the data folder, its disk and the clock. */
import { randomBytes } from 'node:crypto'
import { accessSync, constants, existsSync, statfsSync, statSync, writeFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../../config/schema.ts'
import { broken, ok, warning } from './finding.ts'
import type { Finding } from './finding.ts'
import { messageOf } from '../../../lib/message-of.ts'

const mebibyte = 1024 * 1024
/** With less free space, the push of an ordinary image fails. */
const brokenBelowBytes = 64 * mebibyte
const warnBelowBytes = 1024 * mebibyte
const warnBelowShare = 0.05
const warnBelowFiles = 10_000

export function* checkDisk({ data }: Config): Generator<Finding> {
  if (!existsSync(data)) {
    yield warning(
      'disk',
      `there is no folder ${data} yet`,
      'lading serve creates it at the first start; choose another with --data',
    )
    return
  }
  try {
    accessSync(data, constants.R_OK | constants.W_OK | constants.X_OK)
    yield judgeDisk(data, statfsSync(data))
  } catch (error) {
    yield broken(
      'disk',
      `cannot use ${data} (${messageOf(error)})`,
      'give the user that runs the registry permission to read and write there',
    )
  }
}

interface DiskFigures {
  readonly bavail: number
  readonly blocks: number
  readonly bsize: number
  readonly ffree: number
  readonly files: number
}

export function judgeDisk(data: string, { bavail, blocks, bsize, ffree, files }: DiskFigures): Finding {
  const free = bavail * bsize
  const share = blocks === 0 ? 1 : bavail / blocks
  const message = `${Math.floor(free / mebibyte)} MiB (${Math.floor(share * 100)} %) free in ${data}`
  if (free < brokenBelowBytes) return broken('disk', message, 'free space: pushes are about to fail')
  // Some file systems have no fixed number of files and report 0.
  if (files > 0 && ffree < warnBelowFiles) {
    return warning(
      'disk',
      `${message}, but only ${ffree} more files fit`,
      'delete files on this disk: each blob needs one',
    )
  }
  if (free < warnBelowBytes || share < warnBelowShare) return warning('disk', message, 'free space soon')
  return ok('disk', message)
}

/** The year of this code. A clock that shows an earlier one is wrong. */
const firstSaneYear = 2026
const lastSaneYear = 2100
/** The difference in clocks that tokens tolerate. */
const toleratedMs = 5_000

export function* checkClock({ data }: Config, now: number): Generator<Finding> {
  const year = new Date(now).getUTCFullYear()
  if (year < firstSaneYear || year > lastSaneYear) {
    yield broken(
      'clock',
      `the clock of this machine shows the year ${year}`,
      'set it: tokens and uploads would expire at the wrong time',
    )
    return
  }
  const offsetMs = existsSync(data) ? measureFileClock(data, now) : 0
  yield judgeClock('the clock of the disk', offsetMs)
}

export function judgeClock(clockName: string, offsetMs: number): Finding {
  if (Math.abs(offsetMs) <= toleratedMs)
    return ok('clock', `${clockName} and the clock of this machine agree`)
  const seconds = Math.round(Math.abs(offsetMs) / 1000)
  return warning(
    'clock',
    `${clockName} is ${seconds} s ${offsetMs > 0 ? 'ahead of' : 'behind'} the clock of this machine`,
    'synchronize both, for example with NTP: expiry times depend on them',
  )
}

/** Returns how far the clock that dates files is ahead, in milliseconds. A network file system has its own clock. */
function measureFileClock(data: string, now: number): number {
  const probe = join(data, `doctor-${randomBytes(6).toString('hex')}`)
  try {
    writeFileSync(probe, '', { mode: 0o600, flag: 'wx' })
    return statSync(probe).mtimeMs - now
  } catch {
    // The check of the disk reports a failed write.
    return 0
  } finally {
    rmSync(probe, { force: true })
  }
}
