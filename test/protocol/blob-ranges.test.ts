/** end-2 with `Range`: RFC 9110, section 14, and the behaviour on which partial pulls of images rely. */
import { describe, expect, test } from 'vitest'
import { expectError, expectStatus } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { pushBlob } from '../support/content/manifests.ts'
import { aBlob, aRandomBlob } from '../support/content/random.ts'
import type { TestBlob } from '../support/content/random.ts'

interface Part {
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Buffer
}

/** Parses strictly by RFC 2046: every byte of the body belongs to a delimiter, a head or a part. */
function parseMultipart(answer: Answer): Part[] {
  const type = /^multipart\/byteranges; boundary=([\w'()+,./:=?-]{1,70})$/.exec(
    answer.headers['content-type'] ?? '',
  )
  const boundary = type?.[1]
  if (boundary === undefined) throw new Error(`Content-Type is ${answer.headers['content-type']}`)
  const body = answer.body.toString('latin1')
  const [preamble, ...rest] = `\r\n${body}`.split(`\r\n--${boundary}`)
  expect(preamble).toBe('')
  expect(rest.pop()).toMatch(/^--(\r\n)?$/)
  return rest.map((text) => {
    const [head = '', ...bytes] = text.slice('\r\n'.length).split('\r\n\r\n')
    const lines = head.split('\r\n').map((line) => line.split(': '))
    const headers = Object.fromEntries(lines.map(([name = '', value = '']) => [name.toLowerCase(), value]))
    return { headers, bytes: Buffer.from(bytes.join('\r\n\r\n'), 'latin1') }
  })
}

function expectPart(answer: Answer, blob: TestBlob, [start, end]: readonly [number, number]): void {
  expectStatus(answer, 206)
  expect(answer.headers['content-range']).toBe(`bytes ${start}-${end}/${blob.size}`)
  expect(answer.headers['content-length']).toBe(String(end - start + 1))
  expect(answer.headers['content-type']).toBe('application/octet-stream')
  expect(answer.headers['docker-content-digest']).toBe(blob.digest)
  expect(answer.headers['x-content-type-options']).toBe('nosniff')
  expect(answer.body.equals(blob.bytes.subarray(start, end + 1))).toBe(true)
}

function expectWhole(answer: Answer, blob: TestBlob): void {
  expectStatus(answer, 200)
  expect(answer.headers['content-range']).toBeUndefined()
  expect(answer.body.equals(blob.bytes)).toBe(true)
}

describe.each([
  ['filesystem', 2048],
  ['filesystem', 1_500_000],
  ['memory', 200_000],
] as const)('ranges of a blob in the %s store with %i bytes', (driver, size) => {
  const registry = shareRegistry({ storage: { driver } })
  const blob = aRandomBlob(size)
  const last = size - 1

  async function get(range: string, headers: Record<string, string> = {}): Promise<Answer> {
    const repository = `${registry.url}/v2/ranges/image`
    const head = await ask(`${repository}/blobs/${blob.digest}`, { method: 'HEAD' })
    if (head.status === 404) await pushBlob(repository, blob)
    return await ask(`${repository}/blobs/${blob.digest}`, { headers: { range, ...headers } })
  }

  test.each([
    ['bytes=0-0', [0, 0]],
    ['bytes=0-99', [0, 99]],
    ['bytes=500-', [500, last]],
    ['bytes=-500', [size - 500, last]],
    ['bytes=2000-5000000', [2000, last]],
    [`bytes=-${size * 2}`, [0, last]],
    [`bytes=${last}-`, [last, last]],
    ['bytes=0-', [0, last]],
    ['Bytes=1-2', [1, 2]],
    ['bytes=1-2,', [1, 2]],
  ] as const)('end-2: %s answers 206', async (range, expected) => {
    expectPart(await get(range), blob, expected)
  })

  test.each([
    'bytes=5000000-10000000',
    'bytes=500-0',
    'bytes=-0',
    `bytes=${size}-`,
    'bytes=9999999-,8888888-',
  ])('end-2: %s answers 416 with the size', async (range) => {
    const answer = await get(range)
    expectError(answer, { status: 416, code: 'RANGE_INVALID', naming: [String(size)] })
    expect(answer.headers['content-range']).toBe(`bytes */${size}`)
  })

  test.each([
    'items=0-1',
    'bytes',
    'bytes=',
    'bytes=a-b',
    'bytes=-',
    'bytes=1-2-3',
    'bytes=1 - 2',
    '0-99',
    ' ',
  ])('end-2: %s is not a supported range and answers the whole blob', async (range) =>
    expectWhole(await get(range), blob),
  )

  test.each([
    ['bytes=0-9,20-29', ['0-9', '20-29']],
    ['bytes=100-199, 0-9,-5', ['100-199', '0-9', `${size - 5}-${last}`]],
    ['bytes=0-99,50-149', ['0-99', '50-149']],
    ['bytes=0-9,9000000-', ['0-9']],
    [`bytes=1000-1999,${last}-`, ['1000-1999', `${last}-${last}`]],
  ] as const)('end-2: %s answers its parts in their order', async (range, expected) => {
    const answer = await get(range)
    expectStatus(answer, 206)
    if (expected.length === 1) {
      const [start = 0, end = 0] = (expected[0] ?? '').split('-').map(Number)
      expectPart(answer, blob, [start, end])
      return
    }
    expect(answer.headers['content-range']).toBeUndefined()
    expect(answer.headers['content-length']).toBe(String(answer.body.length))
    expect(answer.headers['docker-content-digest']).toBe(blob.digest)
    const parts = parseMultipart(answer)
    expect(parts.map(({ headers }) => headers['content-range'])).toEqual(
      expected.map((part) => `bytes ${part}/${size}`),
    )
    for (const [index, { headers, bytes }] of parts.entries()) {
      const [start = 0, end = 0] = (expected[index] ?? '').split('-').map(Number)
      expect(headers['content-type']).toBe('application/octet-stream')
      expect(bytes.equals(blob.bytes.subarray(start, end + 1))).toBe(true)
    }
  })

  test('end-2: sixty small ranges at once, as a partial pull sends them', async () => {
    const starts = Array.from({ length: 60 }, (_, index) => index * 30)
    const answer = await get(`bytes=${starts.map((start) => `${start}-${start + 9}`).join(',')}`)
    const parts = parseMultipart(answer)
    expect(parts.map(({ bytes }) => bytes.toString('hex'))).toEqual(
      starts.map((start) => blob.bytes.subarray(start, start + 10).toString('hex')),
    )
  })

  test.each([
    [
      'more ranges than anybody needs',
      Array.from({ length: 1000 }, (_, index) => `${index}-${index}`).join(','),
    ],
    ['ranges that ask for the blob many times over', Array.from({ length: 50 }, () => '0-').join(',')],
  ])('A4: %s get at most the blob once', async (_what, ranges) => {
    expectWhole(await get(`bytes=${ranges}`), blob)
  })

  test('end-2: If-Range with the current entity tag answers the part', async () => {
    expectPart(await get('bytes=5-9', { 'if-range': `"${blob.digest}"` }), blob, [5, 9])
  })

  test.each([['"sha256:other"'], ['W/"{digest}"'], ['Sun, 01 Nov 2026 00:00:00 GMT']])(
    'end-2: If-Range: %s answers the whole blob',
    async (condition) => {
      expectWhole(await get('bytes=5-9', { 'if-range': condition.replace('{digest}', blob.digest) }), blob)
    },
  )

  test('end-2: HEAD ignores ranges', async () => {
    await get('bytes=0-0')
    const url = `${registry.url}/v2/ranges/image/blobs/${blob.digest}`
    const answer = await ask(url, { method: 'HEAD', headers: { range: 'bytes=0-9' } })
    expectStatus(answer, 200)
    expect(answer.headers['content-length']).toBe(String(size))
  })

  test('end-2: If-None-Match takes precedence over Range', async () => {
    const answer = await get('bytes=0-9', { 'if-none-match': `"${blob.digest}"` })
    expect(answer.status).toBe(304)
  })
})

describe('ranges of an empty blob', () => {
  const registry = shareRegistry()

  test.each(['bytes=0-', 'bytes=0-0', 'bytes=-1'])(
    'end-2: %s is answered without an error',
    async (range) => {
      const repository = registry.repository()
      const blob = aBlob('')
      await pushBlob(repository, blob)
      const answer = await ask(`${repository}/blobs/${blob.digest}`, { headers: { range } })
      expect([200, 416]).toContain(answer.status)
    },
  )
})
