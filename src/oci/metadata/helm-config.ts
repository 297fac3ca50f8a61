import { asArray, asObject } from './config-object.ts'
import type { ConfigObject } from './config-object.ts'
import type { PropertyList } from './property-list.ts'

/** The metadata of a chart, which Helm pushes as the config of the artifact. */
export function addHelmConfig(chart: ConfigObject, list: PropertyList): void {
  for (const field of ['name', 'version', 'appVersion', 'description', 'home']) {
    list.addFilled(`chart.${field}`, chart[field])
  }
  for (const keyword of asArray(chart['keywords'])) list.addFilled('chart.keyword', keyword)
  for (const maintainer of asArray(chart['maintainers'])) {
    list.addFilled('chart.maintainer', asObject(maintainer)['name'])
  }
}
