/** Caches values that depend on rights, in bounded memory, while the version of the rights stays the same. */
import { Lru } from '../lib/memory/lru.ts'
import type { LruStats } from '../lib/memory/lru.ts'
import { andThen } from '../lib/maybe-promise.ts'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { VersionWatch } from './version-watch.ts'

export interface VersionedCacheDeps<K, V> {
  readonly version: Pick<VersionWatch, 'current'>
  readonly maxBytes: number
  readonly load: (key: K) => MaybePromise<V>
  readonly weigh: (key: K, value: V) => number
}

export class VersionedCache<K, V extends object> {
  readonly #deps: VersionedCacheDeps<K, V>
  readonly #values: Lru<K, V>
  #version = 0

  constructor(deps: VersionedCacheDeps<K, V>) {
    this.#deps = deps
    this.#values = new Lru({ maxBytes: deps.maxBytes })
  }

  of(key: K): MaybePromise<V> {
    return andThen(this.#deps.version.current(), (version) => this.#find(key, version))
  }

  stats(): LruStats {
    return this.#values.stats()
  }

  #find(key: K, version: number): MaybePromise<V> {
    if (version !== this.#version) {
      this.#version = version
      this.#values.clear()
    }
    const known = this.#values.get(key)
    if (known !== undefined) return known
    // The loaded value belongs to this version or a newer one: a value may be loaded more often than needed, but is never stale.
    return andThen(this.#deps.load(key), (value) =>
      version === this.#version ? this.#keep(key, value) : value,
    )
  }

  #keep(key: K, value: V): V {
    this.#values.set(key, value, this.#deps.weigh(key, value))
    return value
  }
}
