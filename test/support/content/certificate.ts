/** Self-signed certificates for `localhost` and `127.0.0.1`, encoded in DER by this file, so that no tool has to be installed. */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

export interface TestCertificate {
  readonly cert: string
  readonly key: string
  /** The fingerprint in the format of `tlsSocket.getPeerCertificate().fingerprint256`. */
  readonly fingerprint: string
}

const oneDayMs = 24 * 60 * 60 * 1000
const ecdsaWithSha256 = '2a8648ce3d040302'
const commonName = '550403'
const subjectAltName = '551d11'
const basicConstraints = '551d13'

export function createCertificate(name = 'localhost'): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = sequence(objectId(ecdsaWithSha256))
  const subject = sequence(der(0x31, sequence(objectId(commonName), der(0x0c, Buffer.from(name)))))
  const names = sequence(der(0x82, Buffer.from(name)), der(0x87, Buffer.from([127, 0, 0, 1])))
  const extensions = sequence(
    sequence(objectId(subjectAltName), der(0x04, names)),
    sequence(objectId(basicConstraints), der(0x04, sequence(der(0x01, Buffer.from([0xff]))))),
  )
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(8)])),
    algorithm,
    subject,
    sequence(time(Date.now() - oneDayMs), time(Date.now() + oneDayMs)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  )
  const certificate = sequence(
    content,
    algorithm,
    der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', content, privateKey)])),
  )
  const lines = certificate.toString('base64').replaceAll(/.{64}(?!$)/g, '$&\n')
  const fingerprint = createHash('sha256').update(certificate).digest('hex').toUpperCase()
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    fingerprint: fingerprint.replaceAll(/..(?!$)/g, '$&:'),
  }
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content
  const long = length < 0x1_00 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), content])
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts))
}

function objectId(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

/** `YYMMDDHHMMSSZ` */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, '').slice(2, 14)
  return der(0x17, Buffer.from(`${digits}Z`))
}
