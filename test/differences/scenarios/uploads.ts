/** Uploads of blobs in every order, including wrong ones. */
import { digestOf } from '../../support/content/random.ts'
import { absentDigest, contentOf } from '../content.ts'
import type { AnyStep, Script, Step } from '../step.ts'
import { script, session, withEach } from '../step.ts'

const octets = { 'Content-Type': 'application/octet-stream' }

/** Opens a session for the following steps. */
function opening(repository: string, note: string): Step {
  return { method: 'POST', target: `${repository}/blobs/uploads/`, note }
}

function chunk(range: string, body: Uint8Array, which: 'opened' | 'latest' = 'latest'): Step {
  return {
    method: 'PATCH',
    target: session(which),
    headers: { ...octets, 'Content-Range': range },
    body,
    note: `Content-Range: ${range}`,
  }
}

function status(note: string): Step {
  return { method: 'GET', target: session('latest'), note }
}

function close(query: string, body?: Uint8Array | string): Step {
  return {
    method: 'PUT',
    target: session('latest', query),
    headers: octets,
    ...(body !== undefined && { body }),
  }
}

const atOnce = script('upload-at-once', (repository) => {
  const post = (query: string, body: Uint8Array | string, note: string): Step => {
    return { method: 'POST', target: `${repository}/blobs/uploads/?${query}`, headers: octets, body, note }
  }
  const { digest, bytes } = contentOf('upload-at-once')
  const other = contentOf('upload-at-once-other')
  return [
    post(`digest=${digest}`, bytes, 'the whole blob'),
    { method: 'GET', target: `${repository}/blobs/${digest}`, note: 'after the POST' },
    post(`digest=${other.digest}`, bytes, 'digest of other content'),
    post('digest=sha256:short', bytes, 'malformed digest'),
    post('digest=', bytes, 'empty digest'),
    post(`digest=md5:${'0'.repeat(32)}`, bytes, 'unknown algorithm'),
    post(`digest=${digestOf(bytes, 'sha512')}`, bytes, 'sha512'),
    post('digest-algorithm=sha512', '', 'announces sha512'),
    post('digest-algorithm=md5', '', 'announces md5'),
    ...withEach(opening(repository, 'no query'), 'Content-Type', ['application/json', 'text/plain']),
    { method: 'POST', target: `${repository}/blobs/uploads`, note: 'no slash at the end' },
    {
      method: 'POST',
      target: `${repository}/blobs/uploads/`,
      body: bytes,
      headers: octets,
      note: 'a body and no digest',
    },
  ]
})

const oneChunk = script('upload-stream', (repository) => {
  const { digest, bytes } = contentOf('upload-stream')
  return [
    opening(repository, 'for a stream'),
    status('nothing sent'),
    {
      method: 'PATCH',
      target: session('latest'),
      headers: octets,
      body: bytes.subarray(0, 1000),
      chunked: true,
      note: 'streamed',
    },
    status('1,000 bytes sent'),
    {
      method: 'PATCH',
      target: session('latest'),
      headers: octets,
      body: bytes.subarray(1000),
      chunked: true,
      note: 'streamed again',
    },
    close(`digest=${digest}`),
    { ...close(`digest=${digest}`), note: 'PUT twice' },
    { method: 'GET', target: session('latest'), note: 'session has ended' },
    { method: 'PATCH', target: session('latest'), headers: octets, body: 'x', note: 'session has ended' },
    { method: 'DELETE', target: session('latest'), note: 'session has ended' },
    { method: 'HEAD', target: `${repository}/blobs/${digest}`, note: 'after the upload' },
  ]
})

const chunks = script('upload-chunks', (repository) => {
  const { digest, bytes } = contentOf('upload-chunks')
  return [
    opening(repository, 'for chunks'),
    chunk('0-999', bytes.subarray(0, 1000)),
    status('1,000 bytes sent'),
    { ...chunk('0-999', bytes.subarray(0, 1000)), note: 'the same chunk again' },
    { ...chunk('1500-1999', bytes.subarray(1500)), note: 'a chunk left out' },
    chunk('1000-1499', bytes.subarray(1000, 1500)),
    {
      ...close(`digest=${digest}`, bytes.subarray(1500)),
      headers: { ...octets, 'Content-Range': '1500-1999' },
      note: 'the last chunk',
    },
  ]
})

const oldLocation = script('upload-old-location', (repository) => {
  const { bytes } = contentOf('upload-old-location')
  return [
    opening(repository, 'for the URL of the POST'),
    chunk('0-999', bytes.subarray(0, 1000)),
    { method: 'GET', target: session('opened'), note: 'the URL of the POST' },
    {
      ...chunk('0-999', bytes.subarray(0, 1000), 'opened'),
      note: 'the same chunk again, to the URL of the POST',
    },
    {
      ...chunk('1000-1499', bytes.subarray(1000, 1500), 'opened'),
      note: 'the next chunk, to the URL of the POST',
    },
    { method: 'DELETE', target: session('opened'), note: 'the URL of the POST' },
  ]
})

const closingChunk = script('upload-closing-chunk', (repository) => {
  const { digest, bytes } = contentOf('upload-closing-chunk')
  const last = (range: string, body: Uint8Array): Step => {
    return {
      ...close(`digest=${digest}`, body),
      headers: { ...octets, 'Content-Range': range },
      note: `Content-Range: ${range}`,
    }
  }
  return [
    opening(repository, 'for a last chunk in the PUT'),
    chunk('0-999', bytes.subarray(0, 1000)),
    last('1500-1999', bytes.subarray(1500)),
    status('after a PUT out of order'),
    last('0-999', bytes.subarray(0, 1000)),
    last('1000-1999', bytes.subarray(1000)),
  ]
})

const contentRanges = script('upload-content-range', (repository) => {
  const { bytes } = contentOf('upload-content-range')
  const body = bytes.subarray(0, 10)
  const values = [
    'bytes 0-9/2000',
    'bytes=0-9',
    '0-9/2000',
    '9-0',
    '0-',
    'nonsense',
    '0-99',
    '0-4',
    '-1-8',
    '',
  ]
  const patch: Step = { method: 'PATCH', target: session('opened'), headers: octets, body }
  return values.flatMap((value) => [
    opening(repository, `for Content-Range ${value === '' ? '(empty)' : value}`),
    ...withEach(patch, 'Content-Range', [value]),
  ])
})

const contentTypes = script('upload-content-type', (repository) => {
  const { digest, bytes } = contentOf('upload-content-type')
  const patch: Step = { method: 'PATCH', target: session('opened'), body: bytes.subarray(0, 10) }
  const put: Step = { method: 'PUT', target: session('opened', `digest=${digest}`), body: bytes }
  const values = ['application/json', 'application/octet-stream; charset=utf-8', 'APPLICATION/OCTET-STREAM']
  return [
    opening(repository, 'PATCH, no Content-Type'),
    { ...patch, note: 'no Content-Type' },
    ...values.flatMap((value) => [
      opening(repository, `PATCH ${value}`),
      ...withEach(patch, 'Content-Type', [value]),
    ]),
    opening(repository, 'PUT, no Content-Type'),
    { ...put, note: 'no Content-Type' },
    opening(repository, 'PUT application/json'),
    ...withEach(put, 'Content-Type', ['application/json']),
  ]
})

function digestCases(repository: string): AnyStep[] {
  const { digest, bytes } = contentOf('upload-digests')
  const cases: readonly (readonly [note: string, query: string])[] = [
    ['no digest', ''],
    ['empty digest', 'digest='],
    ['malformed digest', 'digest=sha256:short'],
    ['upper-case digest', `digest=${digest.toUpperCase().replace('SHA256', 'sha256')}`],
    ['unknown algorithm', `digest=md5:${'0'.repeat(32)}`],
    ['digest of other content', `digest=${absentDigest}`],
    ['sha512', `digest=${digestOf(bytes, 'sha512')}`],
    ['encoded colon', `digest=${digest.replace(':', '%3A')}`],
    ['two digests, the second is right', `digest=${absentDigest}&digest=${digest}`],
  ]
  return cases.flatMap(([note, query]) => [
    opening(repository, note),
    { ...close(query, bytes), note },
    status(`after the PUT, ${note}`),
  ])
}

const digests = script('upload-digests', (repository) => [
  ...digestCases(repository),
  {
    method: 'GET',
    target: `${repository}/blobs/${digestOf(contentOf('upload-digests').bytes, 'sha512')}`,
    note: 'sha512',
  },
])

const endings = script('upload-endings', (repository) => {
  const empty = contentOf('', 0)
  return [
    opening(repository, 'to be cancelled'),
    { method: 'DELETE', target: session('latest'), note: 'cancel' },
    { method: 'DELETE', target: session('latest'), note: 'cancel twice' },
    { method: 'PATCH', target: session('latest'), headers: octets, body: 'x', note: 'after cancel' },
    { ...close(`digest=${absentDigest}`, 'x'), note: 'after cancel' },
    { method: 'GET', target: session('latest'), note: 'after cancel' },
    opening(repository, 'for nothing'),
    { method: 'PATCH', target: session('latest'), headers: octets, body: '', note: 'zero bytes' },
    status('after zero bytes'),
    close(`digest=${empty.digest}`, ''),
    { method: 'GET', target: `${repository}/blobs/${empty.digest}`, note: 'the empty blob' },
    ...['GET', 'PATCH', 'PUT', 'DELETE'].map((method) => unknownSession(method, repository)),
    { method: 'GET', target: `${repository}/blobs/uploads/${'x'.repeat(200)}`, note: 'no session id' },
    { method: 'GET', target: `${repository}/blobs/uploads/`, note: 'GET where sessions start' },
  ]
})

function unknownSession(method: string, repository: string): Step {
  const target = `${repository}/blobs/uploads/00000000-0000-4000-8000-000000000000`
  const body = method === 'PATCH' || method === 'PUT' ? { body: 'x', headers: octets } : {}
  return {
    method,
    target: method === 'PUT' ? `${target}?digest=${absentDigest}` : target,
    ...body,
    note: 'unknown session',
  }
}

export const uploadScripts: readonly Script[] = [
  atOnce,
  oneChunk,
  chunks,
  oldLocation,
  closingChunk,
  contentRanges,
  contentTypes,
  digests,
  endings,
]
