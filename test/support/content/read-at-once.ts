/** The readers of documents, which work in steps, for tests that need the result at once. */
import type { Steps } from '../../../src/lib/turns/steps.ts'
import { readIJson } from '../../../src/oci/i-json.ts'
import { readManifest } from '../../../src/oci/manifest/parse-manifest.ts'
import type { ParsedManifest } from '../../../src/oci/manifest/parse-manifest.ts'
import { readProperties } from '../../../src/oci/metadata/extract-properties.ts'
import type { Property } from '../../../src/oci/metadata/property.ts'

/** Throws what the work throws. */
export function runAtOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

export function parseIJson(bytes: Uint8Array): unknown {
  return runAtOnce(readIJson(bytes))
}

export function parseManifest(bytes: Uint8Array, contentType: string | undefined): ParsedManifest {
  return runAtOnce(readManifest(bytes, contentType))
}

export function extractProperties(
  manifest: ParsedManifest,
  configBytes: Uint8Array | undefined,
): readonly Property[] {
  return runAtOnce(readProperties(manifest, configBytes))
}
