/** The JSON of a config, whose members may have any type. */
import type { Steps } from '../../lib/turns/steps.ts'
import { IJsonError } from '../i-json-error.ts'
import { readIJson } from '../i-json.ts'

export type ConfigObject = Readonly<Record<string, unknown>>

// Configs are a few KiB; reading a larger one would only delay the push.
const maxConfigBytes = 4 * 1024 * 1024

/** The registry does not validate configs: one that cannot be read simply has no properties. */
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
