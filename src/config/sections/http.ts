/** The section `http` of the configuration: where Lading listens, and how clients reach it. */
import { z } from 'zod'
import { isAddressOrNetwork, isHttpOrigin } from '../forms.ts'
import { port } from '../leaves.ts'

/** Loopback: the registry is reachable from the network only if the operator asks for it. */
export const defaultHost = '127.0.0.1'
/** The port of a local registry in Docker's documentation and in most clients' examples. */
const defaultPort = 5000

const tls = z
  .strictObject({
    cert: z
      .string()
      .min(1)
      .optional()
      .meta({
        description:
          'File with the certificate and its intermediates (PEM). With a certificate and a key, Lading accepts only TLS.',
        examples: ['/etc/lading/tls.crt'],
      }),
    key: z
      .string()
      .min(1)
      .optional()
      .meta({
        description: 'File with the private key (PEM). On HUP, Lading reads both files again.',
        examples: ['/etc/lading/tls.key'],
      }),
  })
  .superRefine(({ cert, key }, context) => {
    if ((cert === undefined) === (key === undefined)) return
    context.addIssue({
      code: 'custom',
      path: [cert === undefined ? 'cert' : 'key'],
      message: `must be set together with http.tls.${cert === undefined ? 'key' : 'cert'}: set both or neither`,
      params: { isRule: true },
    })
  })

/** `http.*`. */
export const http = z.strictObject({
  host: z
    .string()
    .min(1)
    .default(defaultHost)
    .describe(
      'Address to listen on. Other than on loopback, use TLS, here or in a proxy, because passwords cross the network.',
    ),
  port: port().default(defaultPort).describe('Port to listen on; 0 picks a free port.'),
  publicUrl: z
    .string()
    .refine(isHttpOrigin)
    .optional()
    .meta({
      description:
        'Scheme and host under which clients reach the registry, without a path, because clients always request /v2/ at the root. If it is set, `Location` headers are absolute URLs. By default, Lading derives it from each request.',
      examples: ['https://registry.example.com'],
    }),
  cors: z
    .strictObject({
      origins: z
        .array(z.string())
        .refine((list) => list.every((entry) => entry === '*' || isHttpOrigin(entry)))
        .default([])
        .meta({
          description:
            'Origins of pages, or `*` for all, that may use the registry from a browser. With `*`, browsers send no remembered passwords, and only a page that has the token of an account can make changes.',
          examples: ['https://ui.example.com'],
        }),
    })
    .prefault({}),
  tls: tls.prefault({}),
  trustedProxies: z
    .array(z.string())
    .refine((list) => list.every((entry) => isAddressOrNetwork(entry)))
    .default([])
    .meta({
      description:
        'Addresses and networks of the proxies whose `Forwarded` and `X-Forwarded-*` headers Lading trusts. It ignores these headers from all other addresses.',
      examples: ['10.0.0.0/8'],
    }),
})
