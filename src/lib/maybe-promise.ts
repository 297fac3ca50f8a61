/**
 * A value or a promise of it. SQLite answers synchronously: a request then continues without a promise, and waits only if the
 * database makes it wait. Code that is `async` anyway simply awaits such a value.
 */
export type MaybePromise<T> = T | Promise<T>

/** Whether it is a value, for code that treats values and promises differently. */
export function isReady<T>(value: MaybePromise<T>): value is T {
  return !(value instanceof Promise)
}

/** Calls `work` with the value, now or when the promise resolves. An error of `work` is thrown or rejects the result. */
export function andThen<T, R>(value: MaybePromise<T>, work: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(work) : work(value)
}

/** Like `andThen`, for two values that are awaited together. */
export function andThenBoth<A, B, R>(
  one: MaybePromise<A>,
  other: MaybePromise<B>,
  work: (one: A, other: B) => R,
): MaybePromise<R> {
  if (isReady(one) && isReady(other)) return work(one, other)
  return Promise.all([one, other]).then(([a, b]) => work(a, b))
}
