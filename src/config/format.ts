/** Formats the configuration for people and scripts. Secrets stay redacted. */
import { Document } from 'yaml'
import type { LoadedConfig } from './load.ts'

/** Returns YAML that is valid as `lading.yaml`; a comment names the origin of each value that is not a default. */
export function formatConfig({ config, origins }: LoadedConfig): string {
  const document = new Document(JSON.parse(JSON.stringify(config)))
  for (const [path, origin] of origins) {
    const node = document.getIn(path.split('.'), true)
    if (typeof node === 'object' && node !== null) Object.assign(node, { comment: ` ${origin}` })
  }
  return document.toString()
}
