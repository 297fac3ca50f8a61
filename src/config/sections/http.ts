/** The section `http` of the configuration: where Lading listens, and how clients reach it. */
import { z } from 'zod'
import { isAddressOrNetwork, isHttpOrigin } from '../forms.ts'
import { port } from '../leaves.ts'

/** Only this machine: what is not asked for is not exposed. */
export const defaultHost = '127.0.0.1'
/** The port that Docker's documentation and most clients' examples use for a local registry. */
const defaultPort = 5000

const tls = z
  .strictObject({
    cert: z
      .string()
      .min(1)
      .optional()
      .meta({
        description:
          'File of the certificate and its intermediates (PEM). With it, and the key, Lading speaks TLS only.',
        examples: ['/etc/lading/tls.crt'],
      }),
    key: z
      .string()
      .min(1)
      .optional()
      .meta({
        description: 'File of the private key (PEM). HUP reads both files again.',
        examples: ['/etc/lading/tls.key'],
      }),
  })
  .superRefine(({ cert, key }, context) => {
    if ((cert === undefined) === (key === undefined)) return
    context.addIssue({
      code: 'custom',
      path: [cert === undefined ? 'cert' : 'key'],
      message: `needed with http.tls.${cert === undefined ? 'key' : 'cert'}: TLS takes both or none`,
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
      'Address to listen on. Beyond loopback use TLS, here or in a proxy: passwords cross the network.',
    ),
  port: port().default(defaultPort).describe('Port to listen on; 0 takes a free one.'),
  publicUrl: z
    .string()
    .refine(isHttpOrigin)
    .optional()
    .meta({
      description:
        'Scheme and host under which clients reach the registry, without a path: clients always ask for /v2/ at the root. Where it is set, `Location` headers are absolute URLs. By default it is taken from each request.',
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
            'Origins of pages, or `*` for all, that may use the registry from a browser. With `*` browsers send no passwords that they remember, and only a page that has a token of an account changes something.',
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
        'Addresses and networks of proxies whose `Forwarded` and `X-Forwarded-*` headers are believed; from anyone else they change nothing.',
      examples: ['10.0.0.0/8'],
    }),
})
