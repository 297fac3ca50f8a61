/** The path that the message of a failed backup or restore names. */
import { expect, test } from 'vitest'
import { configSchema } from '../../../config/schema.ts'
import { MetadataFull } from '../../../metadata/errors.ts'
import { explainBackupFailure } from './backup-output.ts'

const config = configSchema.parse({ data: '/srv/lading' })
const fail = (fields: object): Error => Object.assign(new Error('it failed'), fields)
const restore = { place: '/backups/b', target: '/srv/lading', config }
const backup = { place: '/backups/b', target: '/backups/b', config }

test.each([
  [
    'a restore without space',
    restore,
    fail({ code: 'ENOSPC', syscall: 'write' }),
    'no space left in /srv/lading',
  ],
  [
    'a backup without space',
    backup,
    fail({ code: 'ENOSPC', syscall: 'write' }),
    'no space left in /backups/b',
  ],
  [
    'a copy of the database without space',
    backup,
    fail({ code: 'ERR_SQLITE_ERROR', errcode: 13 }),
    'no space left in /backups/b',
  ],
  [
    'a database of the registry without space',
    backup,
    new MetadataFull('no room'),
    'data: no space left in /srv/lading',
  ],
  [
    'a file of the data folder',
    backup,
    fail({ code: 'EROFS', syscall: 'open', path: '/srv/lading/lading.db-wal' }),
    'cannot use /srv/lading/lading.db-wal',
  ],
  [
    'a file for a folder',
    backup,
    fail({ code: 'ENOTDIR', syscall: 'open', path: '/x' }),
    'cannot use /backups/b',
  ],
])('names where it failed: %s', (_, command, error, message) => {
  expect(explainBackupFailure(error, command).message).toContain(message)
})
