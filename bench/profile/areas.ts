/** Assigns the functions of a profile to areas of work. */
import type { FunctionShare } from './perf.ts'

/** The patterns in order: the first match decides. */
const patterns = [
  ['kernel', /^\[kernel/],
  ['SQLite', /sqlite|pcache|vdbe|node:sqlite/i],
  ['SHA-256', /sha256|SHA2|EVP_Digest|node::crypto/i],
  ['collector', /Scaveng|Mark(Compact|ing|er)|Sweep|Evacuat|GarbageColl|ConcurrentMark|ArrayBufferSweeper/],
  ['log, metrics', /\/(telemetry|pino|sonic-boom|quick-format-unescaped)\/|log-request/],
  ['rights', /\/dist\/(identity|access|edge)\//],
  ['metadata', /\/dist\/metadata\/|\/kysely\//],
  ['registry, store', /\/dist\/(registry|oci|blob-store|lib|lifecycle|app)/],
  ['routes, replies', /\/dist\//],
  [
    'node:http',
    /llhttp|node::http|node::(Stream|LibuvStream|WriteWrap)|node:(_http|net|internal\/(stream|js_stream)|stream|events|https)/,
  ],
  ['V8, libuv, libc', /./],
] as const satisfies readonly (readonly [string, RegExp])[]

export type Area = (typeof patterns)[number][0]

export const areas: readonly Area[] = patterns.map(([area]) => area)

/** Returns the shares of the areas, which add up to those of the functions. */
export function sharesByArea(functions: readonly FunctionShare[]): ReadonlyMap<Area, number> {
  const shares = new Map<Area, number>()
  for (const { object, symbol, share } of functions) {
    const text = `${object} ${symbol}`
    const area = patterns.find(([, pattern]) => pattern.test(text))?.[0] ?? 'V8, libuv, libc'
    shares.set(area, (shares.get(area) ?? 0) + share)
  }
  return shares
}
