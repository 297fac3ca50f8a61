/** Every path of the route table with every method, supported or not. */
import { routes } from '../../../src/http/routes.ts'
import { absentDigest, acceptAll, contentOf, imageOf } from '../content.ts'
import type { AnyStep, Script, Step } from '../step.ts'
import { pushedImage, script, session } from '../step.ts'

export const methods = ['GET', 'HEAD', 'OPTIONS', 'PROPFIND', 'POST', 'PATCH', 'DELETE', 'PUT']
const paths = [...new Set(routes.map(({ path }) => path))]

export const routeScripts: readonly Script[] = paths.map((path) => {
  const name = `route-${path
    .replaceAll(/[^a-zA-Z]+/g, '-')
    .replace(/^-|-$/g, '')
    .toLowerCase()}${path.endsWith('/') ? '-slash' : ''}`
  return script(name, (repository) => everyMethod(repository, path))
})

function everyMethod(repository: string, path: string): AnyStep[] {
  const image = imageOf(path)
  const steps = methods.map((method) => toStep(method, { repository, path, digest: image.digest }))
  if (!path.includes('<repository>')) return steps
  const needed = pushedImage(repository, image, 'v1')
  if (!path.includes('<uploadId>')) return [...needed, ...steps]
  const opening: Step = { method: 'POST', target: `${repository}/blobs/uploads/`, note: 'for every method' }
  return [...needed, opening, ...steps]
}

interface Filling {
  readonly repository: string
  readonly path: string
  readonly digest: string
}

function toStep(method: string, { repository, path, digest }: Filling): Step {
  const target = path
    .replace('/v2/<repository>', repository)
    .replace('<reference>', 'v1')
    .replace('<digest>', path.includes('/blobs/') ? contentOf(path).digest : digest)
  const step: Step = { method, target }
  if (path.includes('<uploadId>')) {
    const query = method === 'PUT' ? `digest=${absentDigest}` : ''
    return { ...step, target: session('latest', query), ...(method === 'PATCH' && { body: 'some bytes' }) }
  }
  if (!['POST', 'PATCH', 'PUT'].includes(method)) return { ...step, headers: acceptAll }
  if (!path.includes('<reference>')) return { ...step, body: '' }
  const { bytes, mediaType } = imageOf(path)
  return { ...step, headers: { 'Content-Type': mediaType }, body: bytes }
}
