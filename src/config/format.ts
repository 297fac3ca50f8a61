/** The configuration as people and scripts read it back; secrets stay redacted. */
import { Document } from 'yaml'
import type { LoadedConfig } from './load.ts'

/** YAML that can serve as `lading.yaml`, with the origin of each value that is no default as a comment. */
export function formatConfig({ config, origins }: LoadedConfig): string {
  const document = new Document(JSON.parse(JSON.stringify(config)))
  for (const [path, origin] of origins) {
    const node = document.getIn(path.split('.'), true)
    if (typeof node === 'object' && node !== null) Object.assign(node, { comment: ` ${origin}` })
  }
  return document.toString()
}
