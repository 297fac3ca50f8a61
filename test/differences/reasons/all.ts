import type { Chapter } from '../reason.ts'
import { common } from './common.ts'
import { lists } from './lists.ts'
import { manifests } from './manifests.ts'
import { names } from './names.ts'
import { paths } from './paths.ts'
import { pull } from './pull.ts'
import { uploads } from './uploads.ts'

/** The chapters, in the order of the document. */
export const chapters: readonly Chapter[] = [common, paths, pull, uploads, manifests, lists, names]
