/**
 * A value, or a promise of it. SQLite answers at once: the path of a request goes on without a promise then, and waits
 * only where the database makes it wait. Code that is `async` anyway awaits such a value instead.
 */
export type MaybePromise<T> = T | Promise<T>

/** Whether it is a value; for code that does something else with a value than with a promise. */
export function isReady<T>(value: MaybePromise<T>): value is T {
  return !(value instanceof Promise)
}

/** Gives the value to `work`, now or when it comes. An error of `work` is thrown now, or rejects the promise. */
export function andThen<T, R>(value: MaybePromise<T>, work: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(work) : work(value)
}

/** The same for two values that are awaited together. */
export function andThenBoth<A, B, R>(
  one: MaybePromise<A>,
  other: MaybePromise<B>,
  work: (one: A, other: B) => R,
): MaybePromise<R> {
  if (isReady(one) && isReady(other)) return work(one, other)
  return Promise.all([one, other]).then(([a, b]) => work(a, b))
}
