/** The JSON of a config, in which any member may have any type. */
import type { Steps } from '../../lib/turns/steps.ts'
import { IJsonError } from '../i-json-error.ts'
import { readIJson } from '../i-json.ts'

export type ConfigObject = Readonly<Record<string, unknown>>

// Configs are a few KiB; reading a larger one would only delay its push.
const maxConfigBytes = 4 * 1024 * 1024

/** A config is the client's own business: what cannot be read has no properties, and that is no error. */
export function* readConfigObject(bytes: Uint8Array): Steps<ConfigObject> {
  if (bytes.length > maxConfigBytes) return {}
  try {
    return asObject(yield* readIJson(bytes))
  } catch (error) {
    if (error instanceof IJsonError) return {}
    throw error
  }
}

/** Anything but an object reads as an empty one. */
export function asObject(value: unknown): ConfigObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
  return value as ConfigObject
}

/** Anything but an array reads as an empty one. */
export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
