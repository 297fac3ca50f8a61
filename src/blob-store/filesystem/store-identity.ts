/**
 * Detects that the root is no longer the store that was opened: its volume was unmounted, or another folder took its name. Blobs
 * missing there are not lost, and bytes written there become hidden once the volume is mounted again.
 */
import { stat } from 'node:fs/promises'
import { StoreUnavailable } from '../errors.ts'
import type { Layout } from './layout.ts'

interface Identity {
  readonly inode: bigint
  /**
   * Zero if the file system does not record it. The device number is left out: it may change when the volume is mounted again.
   */
  readonly birthtimeNs: bigint
}

export class StoreIdentity {
  readonly #layout: Layout
  #opened: Identity | undefined

  constructor(layout: Layout) {
    this.#layout = layout
  }

  /** Remembers the folder. Call it once the folders exist. */
  async remember(): Promise<void> {
    this.#opened = await identify(this.#layout)
  }

  /** Throws `StoreUnavailable` when the folder is a different one, or the system error when it is missing. */
  async check(): Promise<void> {
    const found = await identify(this.#layout)
    if (found.inode === this.#opened?.inode && found.birthtimeNs === this.#opened.birthtimeNs) return
    throw new StoreUnavailable(
      `the folder ${this.#layout.root} is no longer the blob store that was opened; mount its volume or put the folder back, and start the registry again if it stays unavailable`,
      { retryable: false },
    )
  }
}

async function identify({ blobs }: Layout): Promise<Identity> {
  const { ino, birthtimeNs } = await stat(blobs, { bigint: true })
  return { inode: ino, birthtimeNs }
}
