/** The queue of one party of `FairTurns`: its members take turns. */
export interface Waiter {
  start(): void
  refuse(error: Error): void
}

export class TurnLine {
  isFavoured = true
  hadTurn = false
  readonly #members = new Map<string, Waiter[]>()
  #length = 0

  get length(): number {
    return this.#length
  }

  push(member: string, waiter: Waiter): void {
    const own = this.#members.get(member)
    if (own === undefined) this.#members.set(member, [waiter])
    else own.push(waiter)
    this.#length += 1
  }

  /** The oldest request of the member whose turn it is. Throws if the queue is empty. */
  shift(): Waiter {
    const [[member, own] = ['', []]] = this.#members
    const oldest = own.shift()
    this.hadTurn = true
    this.#members.delete(member)
    if (own.length > 0) this.#members.set(member, own)
    return this.#out(oldest)
  }

  /** The newest request of the member with the most; among equals, of the last in order. Throws if the queue is empty. */
  pop(): Waiter {
    let [largest, own]: [string, Waiter[]] = ['', []]
    for (const [member, its] of this.#members) if (its.length >= own.length) [largest, own] = [member, its]
    const newest = own.pop()
    if (own.length === 0) this.#members.delete(largest)
    return this.#out(newest)
  }

  #out(waiter: Waiter | undefined): Waiter {
    if (waiter === undefined) throw new Error('nobody is waiting')
    this.#length -= 1
    return waiter
  }
}
