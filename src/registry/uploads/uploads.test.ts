import { randomBytes } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import { bodyOf, caller, openRegistry, type OpenRegistry } from '../../../test/support/parts/open-registry.ts'
import { otherProcess } from '../../../test/support/uploads/other-uploads.ts'
import { claimUpload, findUpload, recordUpload } from '../../metadata/content/uploads.ts'
import { digestBytes, type Digest } from '../../oci/digest.ts'
import { parseRepositoryName } from '../../oci/repository-name.ts'

const repository = parseRepositoryName('acme/web')
const { signal } = new AbortController()

async function read(open: OpenRegistry, digest: Digest): Promise<Buffer> {
  await using blob = await open.registry.blobs.open(repository, digest)
  const chunks: Buffer[] = []
  await blob.copyTo({ write: async (bytes) => void chunks.push(Buffer.from(bytes)) }, {})
  return Buffer.concat(chunks)
}

function session(open: OpenRegistry, start = open.registry.uploads.start({ repository, caller })) {
  return start.then(({ id }) => ({ repository, id, caller }))
}

/** Stalls forever once its bytes are `taken`. */
function stalledBody(text: string): { body: AsyncIterable<Uint8Array>; taken: Promise<void> } {
  const { promise: taken, resolve } = Promise.withResolvers<void>()
  const body = (async function* () {
    yield Buffer.from(text)
    resolve()
    yield* bodyOf([], { hang: true })
  })()
  return { body, taken }
}

describe('an upload session', () => {
  test('streams a body and commits the digest that was hashed on the way', async () => {
    await using open = await openRegistry()
    const { uploads } = open.registry
    const bytes = randomBytes(300_000)
    const request = await session(open)
    const { offset } = await uploads.append({ ...request, body: bodyOf([bytes]), signal })
    expect(offset).toBe(300_000)
    const row = await findUpload(open.metadata.reader, request.id)
    expect(row?.hash).toMatchObject({ offset, digest: digestBytes(bytes) })
    const digest = digestBytes(bytes)
    expect(await uploads.commit({ ...request, digest, signal })).toEqual({ digest, size: 300_000 })
    expect(await read(open, digest)).toEqual(bytes)
    await expect(uploads.status(request)).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' })
  })

  test('continues chunk by chunk with a stored hash, regardless of the number of chunks', async () => {
    await using open = await openRegistry()
    const { uploads } = open.registry
    const bytes = randomBytes(5_000)
    const request = await session(open)
    for (let start = 0; start < bytes.length; start += 1_000) {
      const body = bodyOf([bytes.subarray(start, start + 1_000)])
      await uploads.append({ ...request, body, start, length: 1_000, signal })
      const row = await findUpload(open.metadata.reader, request.id)
      expect(row?.hash?.state).toBeDefined()
      expect(row?.segments).toEqual([{ generation: 0, size: start + 1_000 }])
    }
    await uploads.commit({ ...request, digest: digestBytes(bytes), signal })
    expect(await read(open, digestBytes(bytes))).toEqual(bytes)
  })

  test.each(['sha256', 'sha512'] as const)('commits with %s for any earlier hash', async (algorithm) => {
    await using open = await openRegistry()
    const { uploads } = open.registry
    const bytes = randomBytes(2_000)
    const request = await session(open)
    await uploads.append({ ...request, body: bodyOf([bytes.subarray(0, 700)]), start: 0, signal })
    const rest = { body: bodyOf([bytes.subarray(700)]), start: 700, signal }
    const digest = digestBytes(bytes, algorithm)
    expect(await uploads.commit({ ...request, ...rest, digest })).toEqual({ digest, size: 2_000 })
    expect(await read(open, digest)).toEqual(bytes)
  })

  test('commits an empty blob without any body', async () => {
    await using open = await openRegistry()
    const digest = digestBytes(new Uint8Array())
    await open.registry.uploads.commit({ ...(await session(open)), digest, signal })
    expect(await read(open, digest)).toEqual(Buffer.alloc(0))
  })

  test('refuses a chunk out of order before it reads the body, and continues afterwards', async () => {
    await using open = await openRegistry()
    const { uploads } = open.registry
    const request = await session(open)
    await uploads.append({ ...request, body: bodyOf([Buffer.from('0123456789')]), start: 0, signal })
    let isRead = false
    const body = (async function* () {
      isRead = true
      yield Buffer.from('x')
    })()
    for (const start of [0, 5, 11]) {
      const refused = uploads.append({ ...request, body, start, signal })
      await expect(refused).rejects.toMatchObject({ code: 'RANGE_INVALID', offset: 10 })
    }
    expect(isRead).toBe(false)
    const digest = digestBytes(Buffer.from('0123456789ab'))
    const rest = { body: bodyOf([Buffer.from('ab')]), start: 10, length: 2, signal }
    await uploads.commit({ ...request, ...rest, digest })
  })

  test('keeps the bytes that arrived when the connection breaks, and continues in the same segment', async () => {
    await using open = await openRegistry()
    const { uploads } = open.registry
    const request = await session(open)
    const broken = bodyOf([Buffer.from('first ')], { fail: new Error('connection lost') })
    await expect(uploads.append({ ...request, body: broken, signal })).rejects.toThrow('connection lost')
    expect(await uploads.status(request)).toEqual({ id: request.id, offset: 6 })
    await uploads.append({ ...request, body: bodyOf([Buffer.from('second')]), signal })
    const row = await findUpload(open.metadata.reader, request.id)
    expect(row?.segments).toEqual([{ generation: 0, size: 12 }])
    await uploads.commit({ ...request, digest: digestBytes(Buffer.from('first second')), signal })
  })

  test.each([
    ['shorter', '12345'],
    ['longer', '12345678901'],
  ])('forgets a body that is %s than announced', async (_, text) => {
    await using open = await openRegistry()
    const { uploads } = open.registry
    const request = await session(open)
    await uploads.append({ ...request, body: bodyOf([Buffer.from('abc')]), start: 0, signal })
    const refused = uploads.append({
      ...request,
      body: bodyOf([Buffer.from(text)]),
      start: 3,
      length: 10,
      signal,
    })
    await expect(refused).rejects.toMatchObject({ code: 'SIZE_INVALID' })
    expect(await uploads.status(request)).toMatchObject({ offset: 3 })
    await uploads.append({ ...request, body: bodyOf([Buffer.from('def')]), start: 3, signal })
    await uploads.commit({ ...request, digest: digestBytes(Buffer.from('abcdef')), signal })
  })

  test('ends with a digest that does not match, and leaves its bytes for removal', async () => {
    await using open = await openRegistry()
    const { uploads } = open.registry
    const request = await session(open)
    const digest = digestBytes(Buffer.from('other'))
    const refused = uploads.commit({ ...request, digest, body: bodyOf([Buffer.from('bytes')]), signal })
    await expect(refused).rejects.toMatchObject({
      code: 'DIGEST_INVALID',
      detail: { expected: digest, actual: digestBytes(Buffer.from('bytes')), size: 5 },
    })
    await expect(uploads.status(request)).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' })
    expect(open.deadKeys()).toBe(1)
  })

  test('B3: is unknown to another repository and another principal', async () => {
    await using open = await openRegistry()
    const { uploads } = open.registry
    const request = await session(open)
    const elsewhere = { ...request, repository: parseRepositoryName('acme/other') }
    await expect(uploads.status(elsewhere)).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' })
    await expect(uploads.cancel(elsewhere)).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' })
    expect(await uploads.status(request)).toMatchObject({ offset: 0 })
  })

  test('A4: is refused when the principal has too many open that hold bytes', async () => {
    await using open = await openRegistry({ maxSessions: 2 })
    const requests = [await session(open), await session(open)]
    for (const request of requests) {
      await open.registry.uploads.append({ ...request, body: bodyOf([Buffer.from('a')]), signal })
    }
    await expect(session(open)).rejects.toMatchObject({ code: 'TOOMANYREQUESTS' })
    await Promise.all(requests.slice(1).map((request) => open.registry.uploads.cancel(request)))
    await session(open)
  })

  test('does not exist after a cancel', async () => {
    await using open = await openRegistry()
    const request = await session(open)
    await open.registry.uploads.cancel(request)
    await expect(open.registry.uploads.cancel(request)).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' })
    expect(open.deadKeys()).toBe(1)
  })
})

describe('two requests for one session', () => {
  test('status ends a stalled body and counts its bytes: the next PATCH continues there', async () => {
    await using open = await openRegistry()
    const { uploads } = open.registry
    const request = await session(open)
    const { body, taken } = stalledBody('abc')
    const hanging = uploads.append({ ...request, body, signal })
    await taken
    const [found] = await Promise.all([
      uploads.status(request),
      expect(hanging).rejects.toMatchObject({ code: 'RANGE_INVALID', offset: 3 }),
    ])
    expect(found).toMatchObject({ offset: 3 })
    expect(await uploads.append({ ...request, body: bodyOf([Buffer.from('def')]), signal })).toMatchObject({
      offset: 6,
    })
  })

  test('status freezes the bytes that a writer of another process recorded', async () => {
    await using open = await openRegistry()
    const { uploads } = open.registry
    const request = await session(open)
    await uploads.append({ ...request, body: bodyOf([Buffer.from('abc')]), signal })
    const foreign = { id: request.id, writer: 'elsewhere', now: 0 }
    const held = await open.metadata.transact((tx) => claimUpload(tx, foreign))
    expect(await uploads.status(request)).toMatchObject({ offset: 3 })
    const late = { ...foreign, generation: held?.generation ?? 0, hash: undefined, release: false }
    const record = { ...late, segments: [{ generation: 0, size: 9 }], offset: 9 }
    expect(await open.metadata.transact((tx) => recordUpload(tx, record))).toBe(false)
    expect(await uploads.status(request)).toMatchObject({ offset: 3 })
  })

  test('the second asks the first to let go and continues after its bytes', async () => {
    await using open = await openRegistry()
    const { uploads } = open.registry
    const request = await session(open)
    const { body, taken } = stalledBody('abc')
    const first = uploads.append({ ...request, body, signal })
    const lost = first.catch((error: unknown) => error)
    await taken
    const second = await uploads.append({ ...request, body: bodyOf([Buffer.from('def')]), signal })
    expect(second.offset).toBe(6)
    expect(await lost).toMatchObject({ code: 'RANGE_INVALID' })
    await uploads.commit({ ...request, digest: digestBytes(Buffer.from('abcdef')), signal })
  })
})

describe('a closing PUT that comes again', () => {
  test('is answered only when the blob that it finds is durable', async () => {
    const steps: string[] = []
    await using open = await openRegistry()
    const { uploads } = open.registry
    const request = await session(open)
    const digest = digestBytes(new Uint8Array())
    await uploads.commit({ ...request, digest, signal })
    const synced = Promise.withResolvers<void>()
    const flush = vi.spyOn(open.metadata, 'flush').mockImplementation(() => {
      steps.push('sync')
      return synced.promise
    })
    const again = uploads.commit({ ...request, digest, signal }).then(() => steps.push('answer'))
    await vi.waitFor(() => expect(flush).toHaveBeenCalledOnce())
    synced.resolve()
    await again
    expect(steps).toEqual(['sync', 'answer'])
  })

  test('is not answered with success when the sync fails', async () => {
    await using open = await openRegistry()
    const { uploads } = open.registry
    const request = await session(open)
    const digest = digestBytes(new Uint8Array())
    await uploads.commit({ ...request, digest, signal })
    vi.spyOn(open.metadata, 'flush').mockRejectedValue(new Error('the sync failed'))
    await expect(uploads.commit({ ...request, digest, signal })).rejects.toThrow('the sync failed')
  })
})

describe('a session that was started and not written to', () => {
  test('is left unchanged by a status here, and its first writer keeps its segment', async () => {
    await using open = await openRegistry()
    const { uploads } = open.registry
    const request = await session(open)
    const before = await findUpload(open.metadata.reader, request.id)
    expect(await uploads.status(request)).toMatchObject({ offset: 0 })
    expect(await findUpload(open.metadata.reader, request.id)).toEqual(before)
    await uploads.append({ ...request, body: bodyOf([Buffer.from('abc')]), signal })
    const row = await findUpload(open.metadata.reader, request.id)
    expect(row).toMatchObject({ generation: before?.generation, writer: undefined, offset: 3 })
  })

  test('continues here after requests that reached another process', async () => {
    await using open = await openRegistry()
    const [here, there] = [open.registry.uploads, otherProcess(open)]
    const request = await session(open)
    expect(await there.status(request)).toMatchObject({ offset: 0 })
    await there.append({ ...request, body: bodyOf([Buffer.from('abc')]), start: 0, signal })
    await here.append({ ...request, body: bodyOf([Buffer.from('def')]), start: 3, signal })
    const digest = digestBytes(Buffer.from('abcdef'))
    expect(await there.commit({ ...request, digest, signal })).toEqual({ digest, size: 6 })
  })

  test('is claimed by a first writer that comes late, so that it does not expire under it', async () => {
    await using open = await openRegistry()
    const request = await session(open)
    open.clock.advance(3_600_000)
    const arrived = Promise.withResolvers<void>()
    const body = (async function* () {
      arrived.resolve()
      yield Buffer.from('abc')
    })()
    const appended = open.registry.uploads.append({ ...request, body, signal })
    await arrived.promise
    const row = await findUpload(open.metadata.reader, request.id)
    expect(row?.touchedAt).toBe(open.clock.now())
    await appended
  })
})

describe('one content', () => {
  test('is stored once when many push it at the same time', async () => {
    await using open = await openRegistry()
    const bytes = randomBytes(10_000)
    const digest = digestBytes(bytes)
    const pushes = Array.from({ length: 20 }, () =>
      open.registry.uploads.push({ repository, caller, digest, body: bodyOf([bytes]), signal }),
    )
    for (const pushed of await Promise.all(pushes)) expect(pushed).toEqual({ digest, size: 10_000 })
    expect(await read(open, digest)).toEqual(bytes)
  })

  test('leaves no session behind when a push of it breaks off', async () => {
    await using open = await openRegistry({ maxSessions: 1 })
    const digest = digestBytes(Buffer.from('abc'))
    const body = bodyOf([Buffer.from('a')], { fail: new Error('connection lost') })
    const refused = open.registry.uploads.push({ repository, caller, digest, body, signal })
    await expect(refused).rejects.toThrow('connection lost')
    await session(open)
  })
})
