/** @module The language of the scripts: requests as plain data, the same for every registry. */
import type { TestManifest } from '../support/manifests.ts'
import type { TestBlob } from '../support/random.ts'

/** A session URL: that of the step that opened the session, or that of the last accepted PATCH. */
export interface SessionTarget {
  readonly session: 'opened' | 'latest'
  /** The query to append, already percent-encoded. */
  readonly query: string
}

export interface Step {
  readonly method: string
  /** The target as it is on the request line: nothing is normalised. */
  readonly target: string | SessionTarget
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
  /** Whether to send the body with `Transfer-Encoding: chunked`. */
  readonly chunked?: true
  /** A note about things that the request line does not show; makes the step unique in its script. */
  readonly note?: string
}

/** Raw bytes, for requests that no HTTP client sends. */
export interface WireStep {
  readonly wire: string
  readonly note: string
}

export type AnyStep = Step | WireStep

/** Steps that build on each other. Each script has its own repository, so that scripts do not affect each other. */
export interface Script {
  readonly name: string
  readonly steps: readonly AnyStep[]
}

/** Makes a script. The argument of `build` is the script's repository as a path: `/v2/diff/<name>`. */
export function script(name: string, build: (repository: string) => readonly AnyStep[]): Script {
  return { name, steps: build(repositoryPath(name)) }
}

export function repositoryPath(name: string): string {
  return `/v2/diff/${name}`
}

export function session(which: SessionTarget['session'], query = ''): SessionTarget {
  return { session: which, query }
}

/** Makes one step for each header value. */
export function withEach(step: Step, header: string, values: readonly string[]): Step[] {
  return values.map((value) => ({
    ...step,
    headers: { ...step.headers, [header]: value },
    note: [step.note, `${header}: ${value === '' ? '(empty)' : value}`].filter(Boolean).join(', '),
  }))
}

/** Makes one step for each target below the path. */
export function eachTarget(
  method: string,
  prefix: string,
  rest: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): Step[] {
  return rest.map((part) => ({ method, target: `${prefix}${part}`, headers }))
}

/** Makes the steps that push a blob in one request of a session, as most clients do. */
export function pushedBlob(repository: string, blob: TestBlob): Step[] {
  return [
    { method: 'POST', target: `${repository}/blobs/uploads/`, note: `opens the upload of ${short(blob)}` },
    { method: 'PUT', target: session('latest', `digest=${blob.digest}`), body: blob.bytes },
  ]
}

export function pushedManifest(repository: string, manifest: TestManifest, reference?: string): Step {
  return {
    method: 'PUT',
    target: `${repository}/manifests/${reference ?? manifest.digest}`,
    headers: { 'Content-Type': manifest.mediaType },
    body: manifest.bytes,
  }
}

/** Makes the steps that push the blobs, the children and the manifest. */
export function pushedImage(repository: string, manifest: TestManifest, reference?: string): Step[] {
  return [
    ...manifest.blobs.flatMap((blob) => pushedBlob(repository, blob)),
    ...manifest.children.flatMap((child) => pushedImage(repository, child)),
    pushedManifest(repository, manifest, reference),
  ]
}

function short({ digest, size }: TestBlob): string {
  return `${digest.slice(0, 15)}… (${size} bytes)`
}
