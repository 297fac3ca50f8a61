import type { Property } from './property.ts'

export const maxProperties = 512
export const maxNameBytes = 255
export const maxValueBytes = 4096

/** Collects properties within the bounds; if there are too many, the first ones are kept. */
export interface PropertyList {
  readonly properties: readonly Property[]
  /** Ignores non-strings, duplicates and over-long names; cuts long values between characters. */
  add(name: string, value: unknown): void
  /** Like `add`, but ignores empty values: for fields where empty means "not given". */
  addFilled(name: string, value: unknown): void
}

export function createPropertyList(): PropertyList {
  const properties: Property[] = []
  const seen = new Set<string>()
  function add(name: string, value: unknown): void {
    if (typeof value !== 'string' || properties.length >= maxProperties) return
    if (Buffer.byteLength(name) > maxNameBytes) return
    const property = { name: withoutNul(name), value: withoutNul(cutText(value)) }
    const pair = `${property.name}\0${property.value}`
    if (seen.has(pair)) return
    seen.add(pair)
    properties.push(property)
  }
  return {
    properties,
    add,
    addFilled(name, value) {
      if (value !== '') add(name, value)
    },
  }
}

/** Cuts to at most `maxValueBytes` bytes of UTF-8, between characters. */
export function cutText(text: string): string {
  if (text.length * 3 <= maxValueBytes) return text
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxValueBytes))
  return text.slice(0, read)
}

/** PostgreSQL's text type cannot hold NUL. */
function withoutNul(text: string): string {
  return text.replaceAll('\0', '')
}
