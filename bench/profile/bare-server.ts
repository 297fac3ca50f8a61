/** A program: only `node:http`, the lowest cost of a response of this size in Node. */
import { createServer } from 'node:http'

const body = Buffer.alloc(1024, 'x')

const server = createServer((_request, response) => {
  response.writeHead(200, ['Content-Type', 'application/octet-stream', 'Content-Length', String(body.length)])
  response.end(body)
})
server.keepAliveTimeout = 75_000
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'))
