import { describe, expect, test } from 'vitest'
import { ConfigError, loadConfig } from './load.ts'

function faultsOf(env: Readonly<Record<string, string>>): readonly string[] {
  try {
    loadConfig({ argv: [], env, readFile: () => undefined })
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

describe('an unknown variable', () => {
  test.each([
    ['LADING_PORT', 'LADING_HTTP_PORT'],
    ['LADING_HOST', 'LADING_HTTP_HOST'],
    ['LADING_TLS_KEY', 'LADING_HTTP_TLS_KEY'],
    ['LADING_LOGLEVEL', 'LADING_LOG_LEVEL'],
    ['LADING_TOKEN_LIFETIME', 'LADING_AUTH_TOKEN_LIFETIME_MS'],
    ['LADING_ADMIN_PASSWORT', 'LADING_ADMIN_PASSWORD'],
  ])('%s is refused with the closest name', (name, closest) => {
    expect(faultsOf({ [name]: '6400' })).toEqual([`unknown variable ${name}; did you mean ${closest}?`])
  })

  test('far from every name is refused without one', () => {
    expect(faultsOf({ LADING_KUBERNETES: '1' })).toEqual(['unknown variable LADING_KUBERNETES'])
  })
})

test('of Kubernetes for a Service named lading is ignored', () => {
  const env = {
    LADING_SERVICE_HOST: '10.0.0.11',
    LADING_SERVICE_PORT: '5000',
    LADING_SERVICE_PORT_HTTP: '5000',
    LADING_PORT: 'tcp://10.0.0.11:5000',
    LADING_PORT_5000_TCP: 'tcp://10.0.0.11:5000',
    LADING_PORT_5000_TCP_PROTO: 'tcp',
    LADING_PORT_5000_TCP_PORT: '5000',
    LADING_PORT_5000_TCP_ADDR: '10.0.0.11',
  }
  expect(faultsOf(env)).toEqual([])
})

test('LADING_PORT without an address of Kubernetes is refused', () => {
  expect(faultsOf({ LADING_PORT: '127.0.0.1:6400' })).toEqual([
    'unknown variable LADING_PORT; did you mean LADING_HTTP_PORT?',
  ])
})
