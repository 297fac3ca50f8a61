import { formatPlatform } from '../descriptor.ts'
import { asArray, asObject } from './config-object.ts'
import type { ConfigObject } from './config-object.ts'
import type { PropertyList } from './property-list.ts'

/** Properties of an image config (image-spec, image configuration); Docker's has the same form. */
export function addImageConfig(config: ConfigObject, list: PropertyList): void {
  const { os, architecture, variant, author, created, history } = config
  if (typeof os === 'string' && typeof architecture === 'string') {
    const known = typeof variant === 'string' ? { variant } : {}
    list.addFilled('platform', formatPlatform({ os, architecture, ...known }))
  }
  list.addFilled('os', os)
  list.addFilled('architecture', architecture)
  list.addFilled('variant', variant)
  list.addFilled('author', author)
  if (typeof created === 'string' && !Number.isNaN(Date.parse(created))) list.add('created', created)
  if (Array.isArray(history)) list.add('history.count', String(asArray(history).length))
}

export function labelsOf(config: ConfigObject): ConfigObject {
  return asObject(asObject(config['config'])['Labels'])
}
