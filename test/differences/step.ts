/** @module The steps of the scripts: requests as plain data, the same for every registry. */
import type { TestManifest } from '../support/content/manifests.ts'
import type { TestBlob } from '../support/content/random.ts'

/** A session URL: the one of the POST (`opened`), or the one of the last accepted PATCH (`latest`). */
export interface SessionTarget {
  readonly session: 'opened' | 'latest'
  /** The query to append, already percent-encoded. */
  readonly query: string
}

export interface Step {
  readonly method: string
  /** The target of the request line, sent without normalisation. */
  readonly target: string | SessionTarget
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
  /** Whether to send the body with `Transfer-Encoding: chunked`. */
  readonly chunked?: true
  /** A description beyond the request line; makes the step unique in its script. */
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

/** Creates a script. `build` receives the repository of the script as a path: `/v2/diff/<name>`. */
export function script(name: string, build: (repository: string) => readonly AnyStep[]): Script {
  return { name, steps: build(repositoryPath(name)) }
}

export function repositoryPath(name: string): string {
  return `/v2/diff/${name}`
}

export function session(which: SessionTarget['session'], query = ''): SessionTarget {
  return { session: which, query }
}

/** Returns one step for each value of a header. */
export function withEach(step: Step, header: string, values: readonly string[]): Step[] {
  return values.map((value) => ({
    ...step,
    headers: { ...step.headers, [header]: value },
    note: [step.note, `${header}: ${value === '' ? '(empty)' : value}`].filter(Boolean).join(', '),
  }))
}

/** Returns one step for each target below the path. */
export function eachTarget(
  method: string,
  prefix: string,
  rest: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): Step[] {
  return rest.map((part) => ({ method, target: `${prefix}${part}`, headers }))
}

/** Returns the steps that push a blob with POST and PUT, as most clients do. */
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

/** Returns the steps that push the blobs, the children, and then the manifest itself. */
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
