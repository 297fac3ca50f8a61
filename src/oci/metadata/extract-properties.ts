/**
 * @module
 * Extracts the searchable properties of a pushed manifest: type, platform, the fields of an image config or Helm chart, licences,
 * annotations and labels, as names and values. Pure and bounded; odd content yields fewer properties, never an error.
 * The table of `readProperties` lists the names; `annotation.` and `label.` keep the client's own keys.
 */
import type { Steps } from '../../lib/turns/steps.ts'
import { formatPlatform } from '../descriptor.ts'
import { mediaTypes } from '../media-type.ts'
import type { ParsedManifest } from '../manifest/parse-manifest.ts'
import { readConfigObject } from './config-object.ts'
import type { ConfigObject } from './config-object.ts'
import { addHelmConfig } from './helm-config.ts'
import { addImageConfig, labelsOf } from './image-config.ts'
import { licenseNames } from './license-names.ts'
import { createPropertyList } from './property-list.ts'
import type { PropertyList } from './property-list.ts'
import type { Property } from './property.ts'

const licensesKey = 'org.opencontainers.image.licenses'

/**
 * Reads in steps of some milliseconds each.
 *
 * | name | from |
 * |---|---|
 * | `artifactType` | the manifest |
 * | `platform` | the config, or the entries of an index |
 * | `os` `architecture` `variant` `author` `created` `history.count` | an image config |
 * | `chart.name` `.version` `.appVersion` `.description` `.home` `.keyword` `.maintainer` | a Helm chart |
 * | `license` | `org.opencontainers.image.licenses`, one per licence |
 * | `annotation.<key>` `label.<key>` | the manifest's annotations, the config's labels |
 *
 * At most 512 properties: the ones further up in the table take precedence. Values are cut at 4 KiB.
 */
export function* readProperties(
  manifest: ParsedManifest,
  configBytes: Uint8Array | undefined,
): Steps<readonly Property[]> {
  const list = createPropertyList()
  list.addFilled('artifactType', manifest.artifactType)
  for (const { platform } of manifest.children) {
    if (platform !== undefined) list.addFilled('platform', formatPlatform(platform))
  }
  const labels = configBytes === undefined ? {} : yield* addConfig(manifest, { bytes: configBytes, list })
  for (const source of [manifest.annotations, labels]) addLicenses(source[licensesKey], list)
  for (const [key, value] of Object.entries(manifest.annotations)) list.add(`annotation.${key}`, value)
  for (const [key, value] of Object.entries(labels)) list.add(`label.${key}`, value)
  return list.properties
}

/** Adds the properties of the config and returns its labels. */
function* addConfig(
  manifest: ParsedManifest,
  target: { bytes: Uint8Array; list: PropertyList },
): Steps<ConfigObject> {
  switch (manifest.config?.mediaType) {
    case mediaTypes.ociImageConfig:
    case mediaTypes.dockerImageConfig: {
      const config = yield* readConfigObject(target.bytes)
      addImageConfig(config, target.list)
      return labelsOf(config)
    }
    case mediaTypes.helmConfig:
      addHelmConfig(yield* readConfigObject(target.bytes), target.list)
      return {}
    default:
      return {}
  }
}

function addLicenses(text: unknown, list: PropertyList): void {
  if (typeof text !== 'string') return
  for (const name of licenseNames(text)) list.add('license', name)
}
