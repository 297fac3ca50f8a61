/** @module The language of the scripts: what is sent, as plain data, the same for every registry. */
import type { TestManifest } from '../support/manifests.ts'
import type { TestBlob } from '../support/random.ts'

/** Of a session URL: the one that opened it, or the one that the last accepted PATCH named. */
export interface SessionTarget {
  readonly session: 'opened' | 'latest'
  /** Appended, percent-encoded by whoever writes it. */
  readonly query: string
}

export interface Step {
  readonly method: string
  /** As it goes on the request line: nothing is normalised. */
  readonly target: string | SessionTarget
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
  /** Send the body with `Transfer-Encoding: chunked`. */
  readonly chunked?: true
  /** What the request line does not show; makes the step unique in its script. */
  readonly note?: string
}

/** Bytes as they are, for what no HTTP client sends. */
export interface WireStep {
  readonly wire: string
  readonly note: string
}

export type AnyStep = Step | WireStep

/** Steps that build on each other. Each script has a repository of its own, so that none can disturb another. */
export interface Script {
  readonly name: string
  readonly steps: readonly AnyStep[]
}

/** The argument of `build` is the script's repository as a path: `/v2/diff/<name>`. */
export function script(name: string, build: (repository: string) => readonly AnyStep[]): Script {
  return { name, steps: build(repositoryPath(name)) }
}

export function repositoryPath(name: string): string {
  return `/v2/diff/${name}`
}

export function session(which: SessionTarget['session'], query = ''): SessionTarget {
  return { session: which, query }
}

/** One step for each row of a table of header values. */
export function withEach(step: Step, header: string, values: readonly string[]): Step[] {
  return values.map((value) => ({
    ...step,
    headers: { ...step.headers, [header]: value },
    note: [step.note, `${header}: ${value === '' ? '(empty)' : value}`].filter(Boolean).join(', '),
  }))
}

/** One step for each target below the path. */
export function eachTarget(
  method: string,
  prefix: string,
  rest: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): Step[] {
  return rest.map((part) => ({ method, target: `${prefix}${part}`, headers }))
}

/** The blob in one request of a session, as most clients send it. */
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

/** Blobs, children, then the manifest itself. */
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
