import { describe, expect, test } from 'vitest'
import { openRegistry } from '../../test/support/parts/open-registry.ts'
import { CursorInvalidError } from './errors.ts'
import { createListCursors, isSealed } from './list-cursor.ts'

describe('a cursor of a list', () => {
  test('contains a position that any process can read and no client can', async () => {
    await using opened = await openRegistry()
    const positions = ['acme/secret ', 'acme0', `a/${'b'.repeat(253)} `]
    const sealed = await Promise.all(positions.map((one) => createListCursors(opened.metadata).seal(one)))
    const other = createListCursors(opened.metadata)
    expect(await Promise.all(sealed.map((one) => other.open(one)))).toEqual(positions)
    expect(new Set(sealed.map((one) => one.length)).size).toBe(1)
    expect(sealed.every((one) => isSealed(one) && /^~[\w-]{1,511}$/.test(one))).toBe(true)
    const content = Buffer.from(sealed[0]?.slice(1) ?? '', 'base64url').toString('latin1')
    expect(content).not.toContain('secret')
    expect(await other.seal('acme/secret ')).not.toBe(sealed[0])
  })

  test('is refused when the registry did not make it', async () => {
    await using opened = await openRegistry()
    await using another = await openRegistry()
    const cursors = createListCursors(opened.metadata)
    const foreign = await createListCursors(another.metadata).seal('acme/web ')
    const own = await cursors.seal('acme/web ')
    const changed = `${own.slice(0, 60)}${own[60] === 'A' ? 'B' : 'A'}${own.slice(61)}`
    for (const text of ['~', '~acme/web', '~'.repeat(300), foreign, changed, own.slice(0, -4)]) {
      await expect(cursors.open(text)).rejects.toBeInstanceOf(CursorInvalidError)
    }
  })
})
