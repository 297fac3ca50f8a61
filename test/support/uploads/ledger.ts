/**
 * @module The state that a registry owes its clients: for each path that was ever pushed to, the responses that are right after a
 * crash. An acknowledged change leaves one right response; a change that was sent but not acknowledged leaves two.
 */
import { createHash } from 'node:crypto'
import http from 'node:http'

import { ask } from '../http/client.ts'
import { digestOf } from '../content/random.ts'

/** The digest of the bytes that a GET must return, or `undefined` for 404. */
export type Content = string | undefined

export class Ledger {
  readonly #rightAnswers = new Map<string, Set<Content>>()
  /** The number of changes that the registry acknowledged. */
  acknowledged = 0

  get paths(): readonly string[] {
    return [...this.#rightAnswers.keys()]
  }

  rightAnswers(path: string): ReadonlySet<Content> {
    return this.#rightAnswers.get(path) ?? new Set([undefined])
  }

  /** Call this before sending the request: from now on both the old and the new content are right. */
  offer(path: string, content: Content): void {
    this.#rightAnswers.set(path, new Set([...this.rightAnswers(path), content]))
  }

  /** Call this when the acknowledgement arrives: from now on only the new content is right. */
  settle(path: string, content: Content): void {
    this.#rightAnswers.set(path, new Set([content]))
    this.acknowledged += 1
  }

  /** Adds the entries of another ledger, whose paths are different. */
  add(other: Ledger): void {
    for (const [path, contents] of other.#rightAnswers) this.#rightAnswers.set(path, contents)
    this.acknowledged += other.acknowledged
  }
}

const checksAtOnce = 8

/**
 * Requests every path of the ledger and the tags of its repositories. Returns every fault as a sentence: acknowledged content
 * that is lost or damaged, deleted content that is back, content that was never pushed.
 */
export async function findViolations(url: string, ledger: Ledger): Promise<readonly string[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: checksAtOnce })
  const work = [
    ...ledger.paths.map((path) => () => checkPath({ url, agent }, path, ledger)),
    ...repositoriesOf(ledger).map((base) => () => checkTags({ url, agent }, base, ledger)),
  ].values()
  const found: string[] = []
  const check = async (): Promise<void> => {
    for (const step of work) found.push(...(await step()))
  }
  try {
    await Promise.all(Array.from({ length: checksAtOnce }, check))
  } finally {
    agent.destroy()
  }
  return found
}

interface Target {
  readonly url: string
  readonly agent: http.Agent
}

async function checkPath({ url, agent }: Target, path: string, ledger: Ledger): Promise<readonly string[]> {
  const right = [...ledger.rightAnswers(path)].map(String).join(' or ')
  try {
    const answer = await ask(`${url}${path}`, { agent })
    if (answer.status !== 200 && answer.status !== 404) {
      return [`${path} answers ${answer.status} instead of ${right}: ${answer.text().slice(0, 300)}`]
    }
    const content = answer.status === 200 ? digestLike(path, answer.body) : undefined
    return ledger.rightAnswers(path).has(content) ? [] : [`${path} is ${content} instead of ${right}`]
  } catch (error) {
    return [`${path} breaks off instead of sending ${right}: ${String(error)}`]
  }
}

function digestLike(path: string, body: Uint8Array): string {
  if (!path.includes('sha512:')) return digestOf(body)
  return `sha512:${createHash('sha512').update(body).digest('hex')}`
}

function repositoriesOf(ledger: Ledger): readonly string[] {
  return [...new Set(ledger.paths.map((path) => path.replace(/\/(blobs|manifests)\/[^/]+$/, '')))]
}

async function checkTags({ url, agent }: Target, base: string, ledger: Ledger): Promise<readonly string[]> {
  const answer = await ask(`${url}${base}/tags/list`, { agent })
  if (answer.status === 404) return []
  const { tags } = answer.json() as { readonly tags: readonly string[] }
  return tags
    .filter((tag) =>
      [...ledger.rightAnswers(`${base}/manifests/${tag}`)].every((right) => right === undefined),
    )
    .map((tag) => `${base} lists tag ${tag}, which must not be there`)
}
