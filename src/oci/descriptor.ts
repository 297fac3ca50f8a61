import type { Digest } from './digest.ts'

/** Points at content (image-spec, descriptor). */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  /** Bytes; a safe, non-negative integer. */
  readonly size: number
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly platform?: Platform
  readonly urls?: readonly string[]
  /** The content itself in base64; decoded, it has the size above. */
  readonly data?: string
}

export interface Platform {
  readonly architecture: string
  readonly os: string
  readonly 'os.version'?: string
  readonly 'os.features'?: readonly string[]
  readonly variant?: string
}

/** As clients write it: `linux/arm64/v8`. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant = '' } = platform
  return [os, architecture, variant].filter((part) => part !== '').join('/')
}
