/** Shows the progress of a long command at a terminal. */
import { systemClock } from '../../lib/clock.ts'
import type { CliHost } from './command.ts'

const showEveryMs = 100

export type ShowProgress = (text: string) => void

/** Runs the work and shows its progress: at most ten texts per second, each replacing the previous one. */
export async function withProgress<T>(
  { host, json }: { readonly host: Pick<CliHost, 'showProgress'>; readonly json: boolean },
  work: (show: ShowProgress) => Promise<T>,
): Promise<T> {
  if (host.showProgress === undefined || json) return await work(() => undefined)
  let shownAt = 0
  try {
    return await work((text) => {
      const now = systemClock.now()
      if (now - shownAt < showEveryMs) return
      shownAt = now
      host.showProgress?.(text)
    })
  } finally {
    host.showProgress('')
  }
}
