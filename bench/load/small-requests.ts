/** GET and HEAD of small things over many keep-alive connections, by our own client: for HEAD and where wrk is not installed. */
import type { Sample } from '../sample.ts'
import { toSample } from '../sample.ts'
import { expectStatus, RawConnection, requestHead } from './connection.ts'

export interface SmallLoad {
  readonly baseUrl: string
  readonly method: 'GET' | 'HEAD'
  /** Asked one after another, over and over, shared by the connections. */
  readonly paths: readonly string[]
  readonly accept: string
  readonly authorization?: string | undefined
  readonly connections: number
  readonly durationMs: number
}

export async function measureSmallRequests(load: SmallLoad): Promise<Sample> {
  const credentials = load.authorization === undefined ? {} : { Authorization: load.authorization }
  const headers = { Accept: load.accept, ...credentials }
  const requests = load.paths.map((path) => [requestHead(load.method, new URL(path, load.baseUrl), headers)])
  const connections = await Promise.all(
    Array.from({ length: load.connections }, () => RawConnection.open(load.baseUrl)),
  )
  const latencies: number[] = []
  const options = { isHead: load.method === 'HEAD' }
  let position = 0
  const startedAt = performance.now()
  const deadline = startedAt + load.durationMs
  const client = async (connection: RawConnection): Promise<void> => {
    for (let now = performance.now(); now < deadline;) {
      position = (position + 1) % requests.length
      const answer = await connection.exchange(requests[position] ?? [], options)
      expectStatus(answer, 200, `${load.method} ${load.paths[position]}`)
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
