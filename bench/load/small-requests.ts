/** GET and HEAD of small content over many keep-alive connections, with the bench's own client: for HEAD, and without wrk. */
import type { Sample } from '../sample.ts'
import { measureLoop } from './closed-loop.ts'
import { expectStatus, requestHead } from './connection.ts'

export interface SmallLoad {
  readonly baseUrl: string
  readonly method: 'GET' | 'HEAD'
  /** The paths, requested repeatedly in turn; all connections share them. */
  readonly paths: readonly string[]
  readonly accept: string
  readonly authorization?: string | undefined
  readonly connections: number
  readonly durationMs: number
}

export function measureSmallRequests(load: SmallLoad): Promise<Sample> {
  const credentials = load.authorization === undefined ? {} : { Authorization: load.authorization }
  const headers = { Accept: load.accept, ...credentials }
  const requests = load.paths.map((path) => [requestHead(load.method, new URL(path, load.baseUrl), headers)])
  const options = { isHead: load.method === 'HEAD' }
  let position = 0
  return measureLoop({ ...load, url: load.baseUrl }, async (connection) => {
    position = (position + 1) % requests.length
    const answer = await connection.exchange(requests[position] ?? [], options)
    expectStatus(answer, 200, `${load.method} ${load.paths[position]}`)
  })
}
