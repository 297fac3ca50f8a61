import type { Script } from '../step.ts'
import { catalogScript, listScripts } from './lists.ts'
import { manifestScripts } from './manifests.ts'
import { mountScripts } from './mounts.ts'
import { nameScripts } from './names.ts'
import { pullScripts } from './pull.ts'
import { routeScripts } from './routes.ts'
import { uploadScripts } from './uploads.ts'

/** The scripts in the order in which they run: the catalog comes first, because it must list only its own repositories. */
export const scripts: readonly Script[] = [
  catalogScript,
  ...routeScripts,
  ...pullScripts,
  ...uploadScripts,
  ...mountScripts,
  ...manifestScripts,
  ...listScripts,
  ...nameScripts,
]
