import { describe, expect, test } from 'vitest'
import { digestBytes } from '../digest.ts'
import { ManifestInvalidError } from './manifest-invalid-error.ts'
import { parseDescriptor } from './parse-descriptor.ts'

const bytes = new TextEncoder().encode('{}')
const minimal = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestBytes(bytes), size: 2 }

describe('parseDescriptor', () => {
  test.each([
    [{}],
    [{ size: 0 }],
    [{ size: Number.MAX_SAFE_INTEGER }],
    [{ digest: 'blake9+x:abc' }],
    [{ mediaType: 'made-up' }],
    [{ annotations: { '': '', Digest: 'x', digest: 'y' } }],
    [{ urls: ['https://example.org/a', ''] }],
    [{ data: 'e30=' }],
    [{ digest: 'blake9+x:abc', data: 'e30=' }],
    [{ artifactType: 'application/x' }],
    [{ platform: { architecture: 'amd64', os: 'windows', 'os.version': '10.0', 'os.features': ['win32k'] } }],
    [{ platform: { architecture: 'arm', os: 'linux', variant: 'v7' } }],
  ])('keeps %j unchanged', (change) => {
    expect(parseDescriptor({ ...minimal, ...change }, [])).toEqual({ ...minimal, ...change })
  })

  test.each([
    [{ urls: null, annotations: null, data: null, platform: null, artifactType: null }],
    [{ artifactType: '' }],
    [{ platform: { architecture: '', os: '' } }],
    [{ unknown: { size: -1 } }],
  ])('leaves out %j', (change) => {
    expect(parseDescriptor({ ...minimal, ...change }, [])).toEqual(minimal)
  })

  test('stores a size of minus zero without its sign', () => {
    expect(Object.is(parseDescriptor({ ...minimal, size: -0 }, []).size, 0)).toBe(true)
  })

  test.each([
    [{ mediaType: undefined }, 'x.mediaType is missing'],
    [{ mediaType: '' }, 'x.mediaType is empty'],
    [{ mediaType: null }, 'x.mediaType is empty'],
    [{ mediaType: ['a'] }, 'x.mediaType must be a string, not an array'],
    [{ mediaType: 'a\0b' }, 'x.mediaType is "a\\u0000b"; remove the control characters'],
    [{ digest: undefined }, 'x.digest is missing'],
    [{ digest: null }, 'x.digest must be a string, not null'],
    [{ digest: 'latest' }, 'x.digest is "latest": it has no colon'],
    [{ digest: minimal.digest.toUpperCase() }, 'x.digest is "SHA256:'],
    [{ size: undefined }, 'x.size is missing'],
    [{ size: null }, 'x.size is null'],
    [{ size: -1 }, 'x.size is -1'],
    [{ size: 1.5 }, 'x.size is 1.5'],
    [{ size: '2' }, 'x.size is "2"'],
    [
      { size: 2 ** 53 },
      'x.size is 9007199254740992; write a whole number of bytes from 0 to 9007199254740991',
    ],
    [{ urls: 'https://example.org' }, 'x.urls must be an array of strings'],
    [{ urls: ['a', 1] }, 'x.urls must hold strings only, number 1 is 1'],
    [{ annotations: { a: null } }, 'x.annotations.a must be a string, not null'],
    [{ data: 'e30' }, 'x.data must be base64'],
    [{ data: 'e30=\n' }, 'x.data must be base64'],
    [{ data: 'e3x9' }, 'x.data holds 3 bytes, but size is 2'],
    [{ data: 'e3s=' }, 'x.data is not the content that digest sha256:'],
    [{ platform: 'linux/amd64' }, 'x.platform must be a JSON object'],
    [{ platform: { os: 'linux' } }, 'x.platform.architecture is missing'],
    [{ platform: { architecture: 'amd64' } }, 'x.platform.os is missing'],
    [{ platform: { architecture: 'amd64', os: 1 } }, 'x.platform.os must be a string, not 1'],
    [{ platform: { architecture: 'amd64', os: 'a\0' } }, 'remove the control characters'],
    [{ platform: { architecture: '', os: '', 'os.features': [1] } }, 'must hold strings only'],
  ])('refuses %j: %s', (change, message) => {
    const value = withoutUndefined({ ...minimal, ...change })
    expect(() => parseDescriptor(value, ['x'])).toThrow(ManifestInvalidError)
    expect(() => parseDescriptor(value, ['x'])).toThrow(message)
  })

  test.each([
    [{ Digest: 'x' }, 'x.Digest differs from "digest" only in case'],
    [{ SIZE: 1 }, 'x.SIZE differs from "size" only in case'],
    [{ 'media\u0054ype\u017f': 1, '\u017fize': 1 }, 'differs from "size" only in case'],
    [{ platform: { architecture: 'a', os: 'b', OS: 'c' } }, 'x.platform.OS differs from "os" only in case'],
    [{ platform: { architecture: 'a', os: 'b', 'OS.Version': 'c' } }, 'differs from "os.version"'],
  ])('E5: refuses the case variant in %j', (change, message) => {
    expect(() => parseDescriptor({ ...minimal, ...change }, ['x'])).toThrow(message)
  })
})

function withoutUndefined(value: Record<string, unknown>): unknown {
  return JSON.parse(JSON.stringify(value))
}
