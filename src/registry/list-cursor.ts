/**
 * Cursors of pages that ended early. Such a page ends at a name that its reader may not be allowed to see, so the cursor contains
 * the name encrypted and padded: it reveals neither the name nor its length, and every process can decrypt it.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { getListCursorKey } from '../metadata/system/list-cursor-key.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { CursorInvalidError } from './errors.ts'

export interface ListCursors {
  seal(position: string): Promise<string>
  /** Throws `CursorInvalidError`. */
  open(cursor: string): Promise<string>
}

/** A character that starts no name. */
const mark = '~'
const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16
/** A name of 255 characters, and a space that means "after this name". */
const positionBytes = 256

export function createListCursors(metadata: Pick<Metadata, 'reader'>): ListCursors {
  let loading: Promise<Buffer> | undefined
  const getKey = (): Promise<Buffer> => {
    loading ??= loadKey(metadata).catch((error: unknown) => {
      loading = undefined
      throw error
    })
    return loading
  }
  return {
    async seal(position) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv(algorithm, await getKey(), nonce)
      const sealed = cipher.update(position.padEnd(positionBytes, '\0'), 'latin1')
      const parts = [nonce, sealed, cipher.final(), cipher.getAuthTag()]
      return mark + Buffer.concat(parts).toString('base64url')
    },
    async open(cursor) {
      const bytes = Buffer.from(cursor.slice(mark.length), 'base64url')
      if (bytes.length !== nonceBytes + positionBytes + tagBytes) throw new CursorInvalidError(cursor)
      const decipher = createDecipheriv(algorithm, await getKey(), bytes.subarray(0, nonceBytes))
      decipher.setAuthTag(bytes.subarray(-tagBytes))
      try {
        const position = decipher.update(bytes.subarray(nonceBytes, -tagBytes))
        return Buffer.concat([position, decipher.final()]).toString('latin1').replaceAll('\0', '')
      } catch (error) {
        throw new CursorInvalidError(cursor, { cause: error })
      }
    },
  }
}

/** Whether the cursor is sealed; most pages end with a plain name instead. */
export function isSealed(cursor: string): boolean {
  return cursor.startsWith(mark)
}

async function loadKey({ reader }: Pick<Metadata, 'reader'>): Promise<Buffer> {
  return createHash('sha256')
    .update(await getListCursorKey(reader))
    .digest()
}
