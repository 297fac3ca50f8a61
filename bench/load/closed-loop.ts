/** Clients that each repeat one operation on their own connection until the time is over. */
import type { Sample } from '../sample.ts'
import { toSample } from '../sample.ts'
import { RawConnection } from './connection.ts'

export interface ClosedLoop {
  readonly url: string
  readonly connections: number
  readonly durationMs: number
}

/** Measures `operate`, which gets the number of its connection, from 0. */
export async function measureLoop(
  loop: ClosedLoop,
  operate: (connection: RawConnection, index: number) => Promise<void>,
): Promise<Sample> {
  const connections = await Promise.all(
    Array.from({ length: loop.connections }, () => RawConnection.open(loop.url)),
  )
  const latencies: number[] = []
  const startedAt = performance.now()
  const deadline = startedAt + loop.durationMs
  const client = async (connection: RawConnection, index: number): Promise<void> => {
    for (let now = performance.now(); now < deadline;) {
      await operate(connection, index)
      const done = performance.now()
      latencies.push(done - now)
      now = done
    }
  }
  try {
    await Promise.all(connections.map(client))
    return toSample(latencies, performance.now() - startedAt)
  } finally {
    for (const connection of connections) connection[Symbol.dispose]()
  }
}
