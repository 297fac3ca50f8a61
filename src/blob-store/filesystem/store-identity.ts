/**
 * Notices that the root is no longer the store that was opened: its volume was unmounted, or another folder took its
 * name. What is missing there is not lost, and what is written there is hidden once the volume is back.
 */
import { stat } from 'node:fs/promises'
import { StoreUnavailable } from '../errors.ts'
import type { Layout } from './layout.ts'

interface Identity {
  readonly inode: bigint
  /** Zero where the file system does not know it. The device is left out: a volume that is mounted again may get another. */
  readonly birthtimeNs: bigint
}

export class StoreIdentity {
  readonly #layout: Layout
  #opened: Identity | undefined

  constructor(layout: Layout) {
    this.#layout = layout
  }

  /** Call it when the folders are made. */
  async remember(): Promise<void> {
    this.#opened = await identify(this.#layout)
  }

  /** Throws `StoreUnavailable`, or the system's error when the folder is gone. */
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
