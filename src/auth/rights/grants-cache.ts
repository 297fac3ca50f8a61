/**
 * The grants of principals, remembered in bounded memory for as long as the version of the rights stays. Where the
 * database answers at once the version is read in each turn of the event loop; elsewhere at most half a second old, so
 * that what is revoked anywhere ends everywhere within a second.
 */
import { Lru } from '../../lib/lru.ts'
import type { LruStats } from '../../lib/lru.ts'
import { noGrants } from './held-grants.ts'
import type { HeldGrants } from './held-grants.ts'

type MaybePromise<T> = T | Promise<T>

export interface GrantsCacheDeps {
  /** Milliseconds that never go back. */
  readonly now: () => number
  readonly getVersion: () => MaybePromise<number>
  readonly load: (accountId: number) => MaybePromise<HeldGrants>
}

const maxBytes = 8 * 1024 * 1024
const entryBytes = 200
const grantBytes = 400
const maxAgeMs = 500

export class GrantsCache {
  readonly #deps: GrantsCacheDeps
  readonly #grants = new Lru<number, HeldGrants>({ maxBytes })
  #version = 0
  /** Until when the version needs no look. */
  #freshUntil = 0
  #isFreshTurn = false
  #reading: Promise<void> | undefined
  readonly #onTurnEnd = (): void => void (this.#isFreshTurn = false)

  constructor(deps: GrantsCacheDeps) {
    this.#deps = deps
  }

  of(accountId: number): MaybePromise<HeldGrants> {
    const refreshed = this.#refresh()
    return refreshed instanceof Promise ? refreshed.then(() => this.#find(accountId)) : this.#find(accountId)
  }

  stats(): LruStats {
    return this.#grants.stats()
  }

  #find(accountId: number): MaybePromise<HeldGrants> {
    const known = this.#grants.get(accountId)
    if (known !== undefined) return known
    // What is loaded is of this version or newer: it may be loaded once too often, never too seldom.
    const version = this.#version
    const loaded = this.#deps.load(accountId)
    if (!(loaded instanceof Promise)) return this.#keep(accountId, loaded)
    return loaded.then((grants) => (version === this.#version ? this.#keep(accountId, grants) : grants))
  }

  #keep(accountId: number, grants: HeldGrants): HeldGrants {
    // Most principals have none: they share one.
    const kept = grants.count === 0 ? noGrants : grants
    this.#grants.set(accountId, kept, entryBytes + grantBytes * kept.count)
    return kept
  }

  #refresh(): MaybePromise<void> {
    if (this.#isFreshTurn || this.#deps.now() < this.#freshUntil) return undefined
    if (this.#reading !== undefined) return this.#reading
    const asked = this.#deps.now()
    const version = this.#deps.getVersion()
    if (!(version instanceof Promise)) {
      this.#isFreshTurn = true
      setImmediate(this.#onTurnEnd)
      return this.#take(version)
    }
    this.#reading = version
      .then((found) => {
        this.#freshUntil = asked + maxAgeMs
        this.#take(found)
      })
      .finally(() => (this.#reading = undefined))
    return this.#reading
  }

  #take(version: number): void {
    if (version === this.#version) return
    this.#version = version
    this.#grants.clear()
  }
}
