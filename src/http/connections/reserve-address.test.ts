import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, createServer as createNetServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { createCertificate } from '../../../test/support/content/certificate.ts'
import { openServer } from '../../../test/support/parts/open-server.ts'
import { reserveAddress } from './reserve-address.ts'

const loopback = { host: '127.0.0.1', port: 0 }
const request = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'

describe('a reserved address', () => {
  test('is refused to others, and free again once it is disposed', async () => {
    const reserved = await reserveAddress(loopback)
    const address = { host: '127.0.0.1', port: reserved.port }
    await expect(reserveAddress(address)).rejects.toMatchObject({ code: 'EADDRINUSE', syscall: 'listen' })
    const waiting = connect(address)
    waiting.on('error', () => undefined)
    await once(waiting, 'connect')
    await reserved[Symbol.asyncDispose]()
    await once(waiting, 'close')
    await using again = await reserveAddress(address)
    expect(again.port).toBe(address.port)
  })

  test('lets connections wait for the server, and the server for them at its end', async () => {
    await using reserved = await reserveAddress(loopback)
    const early = connect({ host: '127.0.0.1', port: reserved.port })
    early.write(request)
    const gone = connect({ host: '127.0.0.1', port: reserved.port })
    await once(gone, 'connect')
    gone.resetAndDestroy()
    await using opened = await openServer({ reserved })
    expect(opened.server.address()?.port).toBe(reserved.port)
    expect(await text(early)).toContain('200 OK')
    const late = connect({ host: '127.0.0.1', port: reserved.port })
    late.write(request)
    expect(await text(late)).toContain('200 OK')
  })

  test('is not closed before a request is answered that waited for the server', async () => {
    await using reserved = await reserveAddress(loopback)
    const early = connect({ host: '127.0.0.1', port: reserved.port })
    early.write(request)
    await once(early, 'connect')
    const asked = Promise.withResolvers<void>()
    const mayAnswer = Promise.withResolvers<void>()
    const health = async () => {
      asked.resolve()
      await mayAnswer.promise
      return { ready: true, checks: {} }
    }
    await using opened = await openServer({ reserved, health })
    let closed = false
    const ready = connect({ host: '127.0.0.1', port: reserved.port })
    ready.write(request.replace('healthz', 'readyz'))
    await asked.promise
    const closing = opened.server.close({ deadlineMs: 60_000 }).then(() => (closed = true))
    await text(early)
    expect(closed).toBe(false)
    mayAnswer.resolve()
    expect(await text(ready)).toContain('200 OK')
    await closing
  })

  test('serves TLS to connections that waited', async () => {
    const tls = createCertificate()
    await using reserved = await reserveAddress(loopback)
    const early = connectTls({ host: '127.0.0.1', port: reserved.port, rejectUnauthorized: false })
    early.write(request)
    const plain = connect({ host: '127.0.0.1', port: reserved.port })
    plain.write(request)
    await once(plain, 'connect')
    await using _opened = await openServer({ reserved, tls })
    expect(await text(early)).toContain('200 OK')
    expect(await text(plain)).toContain('this port speaks TLS')
  })

  test('is closed with its server', async () => {
    await using reserved = await reserveAddress(loopback)
    const server = createServer()
    const { port } = await reserved.handOver(server)
    await new Promise<void>((resolve) => server.close(() => resolve()))
    const other = createNetServer().listen(port, '127.0.0.1')
    await once(other, 'listening')
    expect(other.listening).toBe(true)
    other.close()
  })
})
