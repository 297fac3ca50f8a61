import type { Script } from '../step.ts'
import { catalogScript, listScripts } from './lists.ts'
import { manifestScripts } from './manifests.ts'
import { mountScripts } from './mounts.ts'
import { nameScripts } from './names.ts'
import { pullScripts } from './pull.ts'
import { routeScripts } from './routes.ts'
import { uploadScripts } from './uploads.ts'

/** All scripts, in the order of their run. The catalog script is first, because it must see only its own repositories. */
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
