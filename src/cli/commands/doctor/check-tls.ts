/** Checks that the certificate is readable, matches its key, and is valid today and for the public name. */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Config } from '../../../config/schema.ts'
import { readTlsFiles } from '../../../config/tls-files.ts'
import { dayMs } from '../../../lib/utc-day.ts'
import { broken, ok, warning } from './finding.ts'
import type { Finding } from './finding.ts'
import { messageOf } from '../../../lib/message-of.ts'

/** Certificates are usually renewed about a month before they expire; one this close to its expiry was forgotten. */
const warnDays = 14

export function* checkTls({ http }: Config, now: number): Generator<Finding> {
  if (http.tls.cert === undefined) {
    yield ok('tls', 'off')
    return
  }
  try {
    const files = readTlsFiles(http.tls)
    const certificate = new X509Certificate(files?.cert ?? '')
    yield checkDates(certificate, now)
    yield* checkName(certificate, http.publicUrl)
  } catch (error) {
    yield broken(
      'tls',
      messageOf(error),
      'set http.tls.cert and http.tls.key to a certificate and its key, both PEM files that the registry can read',
    )
  }
}

function checkDates(certificate: X509Certificate, now: number): Finding {
  const [from, until] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()]
  if (now < from) {
    return broken('tls', `the certificate is not valid before ${day(from)}`, 'check the clock, or wait')
  }
  const days = Math.floor((until - now) / dayMs)
  if (now >= until) {
    return broken('tls', `the certificate expired on ${day(until)}`, 'renew it, then send HUP to the server')
  }
  const message = `the certificate matches its key and expires in ${days} days (${day(until)})`
  if (days < warnDays) return warning('tls', message, 'renew it, then send HUP to the server')
  return ok('tls', message)
}

function* checkName(certificate: X509Certificate, publicUrl: string | undefined): Generator<Finding> {
  if (publicUrl === undefined) return
  const hostname = new URL(publicUrl).hostname.replace(/^\[(.*)\]$/, '$1')
  const isNamed = isIP(hostname) === 0 ? certificate.checkHost(hostname) : certificate.checkIP(hostname)
  if (isNamed !== undefined) return
  yield warning(
    'tls',
    `the certificate is not for ${hostname}, the name in http.publicUrl`,
    'clients that use this name refuse it: use a certificate for it, unless a proxy terminates TLS',
  )
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
