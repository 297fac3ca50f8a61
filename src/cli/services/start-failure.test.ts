import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../config/load.ts'
import { MetadataFull } from '../../metadata/errors.ts'
import { explainStartFailure } from './start-failure.ts'

function configure(...argv: string[]) {
  return loadConfig({ argv, env: {}, readFile: () => undefined }).config
}

function systemError(fields: Record<string, unknown>): Error {
  return Object.assign(new Error(`${String(fields['code'])}: it failed`), fields)
}

const postgres = ['--metadata.driver', 'postgres', '--metadata.url', 'postgres://u:hunter2@db/lading']

describe('explainStartFailure', () => {
  test.each([
    [
      'a port in use',
      systemError({ code: 'EADDRINUSE', syscall: 'listen' }),
      [],
      'http.port: 127.0.0.1:5000 is in use',
    ],
    [
      'a privileged port',
      systemError({ code: 'EACCES', syscall: 'listen' }),
      ['--port', '80'],
      'http.port: no permission to listen on port 80',
    ],
    [
      'a foreign address',
      systemError({ code: 'EADDRNOTAVAIL', syscall: 'listen' }),
      ['--host', '10.9.8.7'],
      'http.host: cannot listen on 10.9.8.7',
    ],
    [
      'an unknown host',
      systemError({ code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'x.invalid' }),
      ['--host', 'x.invalid'],
      'http.host: cannot listen on x.invalid',
    ],
    [
      'a read-only folder',
      systemError({ code: 'EACCES', path: '/srv/lading/blobs' }),
      ['--data', '/srv/lading'],
      'data: cannot use the folder /srv/lading',
    ],
    [
      'a parent that refuses',
      systemError({ code: 'EACCES', path: '/srv' }),
      ['--data', '/srv/lading'],
      'data: cannot use the folder /srv/lading',
    ],
    [
      'a broken database file',
      systemError({ code: 'ERR_SQLITE_ERROR' }),
      [],
      'data: cannot use the database in ./data',
    ],
    [
      'a damaged database',
      systemError({ code: 'ERR_SQLITE_ERROR', errcode: 267 }),
      [],
      'data: cannot use the database in ./data: it is damaged',
    ],
    [
      'a full disk under the database',
      new MetadataFull('no room', { cause: systemError({ code: 'ERR_SQLITE_ERROR' }) }),
      [],
      'data: no space left in ./data (no room); free space on its disk',
    ],
    [
      'a full disk under a database that no driver has opened',
      systemError({ code: 'ERR_SQLITE_ERROR', errcode: 13 }),
      [],
      'data: no space left in ./data (ERR_SQLITE_ERROR: it failed); free space on its disk',
    ],
    [
      'a full disk under the store',
      systemError({ code: 'ENOSPC', path: './data/store' }),
      [],
      'data: no space left in ./data (ENOSPC: it failed); free space on its disk',
    ],
    [
      'a database that is down',
      systemError({ code: 'ECONNREFUSED', syscall: 'connect' }),
      postgres,
      'metadata.url: cannot use the database',
    ],
    ['a wrong password', systemError({ code: '28P01' }), postgres, 'metadata.url: cannot use the database'],
  ])('names the key for %s', (_, error, argv, message) => {
    const failure = explainStartFailure(new Error('start', { cause: error }), configure(...argv))
    expect(failure.message).toContain(message)
    expect(failure.message).not.toContain('hunter2')
    expect(failure.exitCode).toBe(1)
  })

  test('looks into the errors of several connection attempts', () => {
    const error = new AggregateError([systemError({ code: 'ECONNREFUSED' })], 'no address worked')
    expect(explainStartFailure(error, configure(...postgres)).message).toContain('metadata.url')
  })

  test('does not blame a neighbouring folder', () => {
    const error = systemError({ code: 'EACCES', path: '/srv/lading2/x' })
    expect(explainStartFailure(error, configure('--data', '/srv/lading')).message).toMatch(
      /^cannot start: EACCES/,
    )
  })

  test('passes on the message of an unknown error', () => {
    expect(explainStartFailure(new Error('broken'), configure()).message).toBe('cannot start: broken')
  })
})
