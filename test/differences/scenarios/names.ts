/** Repository names and paths: the grammar, its limits, and the effects of URL encoding on both. */
import { absentDigest, acceptAll, imageOf } from '../content.ts'
import type { Script, Step } from '../step.ts'
import { eachTarget, pushedImage, repositoryPath, script, withEach } from '../step.ts'

const host = 'registry.example'

const good = [
  'a/b',
  'diff/a__b',
  'diff/a---b',
  'diff/a.b_c-d',
  'a/b/c/d/e/f',
  'diff/blobs/uploads',
  'diff/manifests',
  'diff/tags/list',
  '0/1',
  'library/hello',
]
const bad = [
  'Diff/upper',
  'diff/-dash',
  'diff/dash-',
  'diff/a..b',
  'diff/a___b',
  'diff/a._b',
  'diff/%C3%BC',
  'diff/a b'.replace(' ', '%20'),
  'diff//a',
  '/diff/a',
  'diff/a/',
  'diff%2Fa',
  'diff/%61',
  'diff/.',
  'diff/../a',
  'diff/%2e%2e/a',
  'diff/a%00',
  '_diff/a',
  'api/a',
  'v2/a',
]

function nameOfLength(length: number): string {
  return `diff/${'n'.repeat(length - 'diff/'.length)}`
}

const lengths = [255, 256, 300].map(nameOfLength)

const reads = script('names', () => {
  return [...good, ...bad, ...lengths].flatMap((name) => eachTarget('GET', `/v2/${name}`, ['/tags/list']))
})

const writes = script('names-pushed', () => {
  const names = [
    ...good.slice(1, 8),
    'Diff/upper',
    'diff//a',
    'diff%2Fa',
    nameOfLength(255),
    nameOfLength(256),
  ]
  return names.map((name): Step => ({
    method: 'POST',
    target: `/v2/${name}/blobs/uploads/`,
    body: '',
  }))
})

const oneComponent = script('names-one-component', () => {
  const steps = pushedImage('/v2/one', imageOf('one'), 'v1')
    .filter(({ method }) => method === 'POST')
    .slice(0, 1)
  return [
    ...steps,
    {
      method: 'PUT',
      target: '/v2/one/manifests/v1',
      headers: { 'Content-Type': imageOf('one').mediaType },
      body: imageOf('one').bytes,
      note: 'one component',
    },
    ...['GET', 'HEAD'].flatMap((method) =>
      eachTarget(method, '/v2/one', ['/manifests/v1', `/blobs/${absentDigest}`, '/tags/list'], acceptAll),
    ),
    { method: 'DELETE', target: '/v2/one/manifests/v1' },
  ]
})

const paths = script('paths', (repository) => {
  const rest = [
    '/',
    '/v1/',
    '/v1/_ping',
    '/v2//',
    '/v2/_other',
    '/v2/x',
    '/v2/diff/paths',
    '/v2/diff/paths/',
    '/v2/tags/list',
    '/v2/manifests/v1',
    '/v2/diff/paths/tags/list?',
    '/v2/diff/paths/tags/list?%zz',
    '/v2/diff/paths/unknown/v1',
    '//v2/',
    '/v2/../v2/',
    '/v2/%2e%2e/',
    '/favicon.ico',
    '/robots.txt',
  ]
  return [
    ...pushedImage(repository, imageOf('paths'), 'v1'),
    ...eachTarget('GET', '', rest),
    { method: 'GET', target: `${repository}/manifests//v1`, headers: acceptAll },
    { method: 'GET', target: `${repository}/manifests/v1/`, headers: acceptAll },
    { method: 'GET', target: `http://${host}${repository}/tags/list`, note: 'absolute form' },
    { method: 'OPTIONS', target: '*' },
  ]
})

const wire = script('wire', () => [
  { note: 'HTTP/1.0', wire: `GET /v2/ HTTP/1.0\r\n\r\n` },
  {
    note: 'HTTP/1.0, keep-alive',
    wire: `GET /v2/ HTTP/1.0\r\nConnection: keep-alive\r\nHost: ${host}\r\n\r\n`,
  },
  { note: 'HTTP/1.1, connection stays open', wire: `GET /v2/ HTTP/1.1\r\nHost: ${host}\r\n\r\n` },
  { note: 'HTTP/1.1 without Host', wire: 'GET /v2/ HTTP/1.1\r\nConnection: close\r\n\r\n' },
  {
    note: 'two Host headers',
    wire: `GET /v2/ HTTP/1.1\r\nHost: ${host}\r\nHost: other.example\r\nConnection: close\r\n\r\n`,
  },
  { note: 'Host with a space', wire: 'GET /v2/ HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n' },
  {
    note: 'HTTP/2.0 in the request line',
    wire: `GET /v2/ HTTP/2.0\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
  },
  { note: 'method in lower case', wire: `get /v2/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n` },
  {
    note: 'a method nobody knows',
    wire: `FETCH /v2/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
  },
  { note: 'no request line', wire: 'nonsense\r\n\r\n' },
  {
    note: 'length and chunked at once',
    wire: `POST ${repositoryPath('wire')}/blobs/uploads/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  },
  {
    note: 'two lengths',
    wire: `POST ${repositoryPath('wire')}/blobs/uploads/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\nx`,
  },
  {
    note: 'a folded header',
    wire: `GET /v2/ HTTP/1.1\r\nHost: ${host}\r\nX-Folded: a\r\n b\r\nConnection: close\r\n\r\n`,
  },
  {
    note: 'a space before the colon',
    wire: `GET /v2/ HTTP/1.1\r\nHost : ${host}\r\nConnection: close\r\n\r\n`,
  },
  {
    note: 'a URL of 20,000 characters',
    wire: `GET /v2/?${'x'.repeat(20_000)} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
  },
  {
    note: 'a header of 40,000 characters',
    wire: `GET /v2/ HTTP/1.1\r\nHost: ${host}\r\nX-Long: ${'x'.repeat(40_000)}\r\nConnection: close\r\n\r\n`,
  },
])

/** Neither registry requires credentials; some clients send those that they have. */
const credentials = script('credentials', () => {
  const values = ['Basic Og==', 'Basic bm9ib2R5Om5vdGhpbmc=', 'Basic !', 'Bearer none', 'Negotiate x', '']
  return withEach({ method: 'GET', target: '/v2/' }, 'Authorization', values)
})

export const nameScripts: readonly Script[] = [reads, writes, oneComponent, paths, credentials, wire]
