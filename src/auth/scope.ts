/** Access scopes of Docker's token flow: `repository:<name>:pull,push`, `registry:catalog:*`. */
export interface Scope {
  readonly type: 'repository' | 'registry'
  readonly name: string
  /** Sorted, each once; empty: asked for and not granted. */
  readonly actions: readonly string[]
}
