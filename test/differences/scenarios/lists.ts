/** Tags, catalog and their pages; deletes. */
import { anImageIndex } from '../../support/content/manifests.ts'
import { digestOf } from '../../support/content/random.ts'
import { absentDigest, acceptAll, configOf, contentOf, imageOf } from '../content.ts'
import type { Script } from '../step.ts'
import { eachTarget, pushedBlob, pushedImage, pushedManifest, repositoryPath, script } from '../step.ts'

const pages = [
  '?n=2',
  '?n=2&last=b',
  '?last=b',
  '?last=absent',
  '?last=zzz',
  '?n=0',
  '?n=1',
  '?n=100',
  '?n=1001',
  '?n=100000',
  '?n=-1',
  '?n=x',
  '?n=',
  '?n=1.5',
  '?last=',
]

/** Played first, on empty registries. */
const catalog = script('catalog', () => {
  const names = ['catalog-a', 'catalog-b', 'catalog-c']
  const queries = pages.map((query) => query.replace('last=b', 'last=diff/catalog-b'))
  return [
    { method: 'GET', target: '/v2/_catalog', note: 'nothing pushed' },
    ...names.flatMap((name) => pushedImage(repositoryPath(name), imageOf(name), 'v1')),
    {
      method: 'POST',
      target: `${repositoryPath('catalog-d')}/blobs/uploads/`,
      note: 'repository without content',
    },
    ...eachTarget('GET', '/v2/_catalog', ['', ...queries]),
    { method: 'HEAD', target: '/v2/_catalog' },
    { method: 'GET', target: '/v2/_catalog/' },
  ]
})

const tags = script('tags', (repository) => {
  const image = imageOf('tags')
  const others = ['b', 'C', 'c', 'd', '1', '_x']
  return [
    ...pushedImage(repository, image, 'a'),
    ...others.map((tag) => pushedManifest(repository, image, tag)),
    ...eachTarget('GET', `${repository}/tags/list`, ['', ...pages]),
    { method: 'HEAD', target: `${repository}/tags/list` },
    { method: 'GET', target: `${repository}/tags/` },
    { method: 'GET', target: `${repository}/tags/list/` },
  ]
})

const deletes = script('deletes', (repository) => {
  const image = imageOf('deletes')
  const manifests = `${repository}/manifests`
  const { digest } = contentOf('deletes')
  const del = (target: string, note: string) => ({ method: 'DELETE', target, note })
  return [
    ...pushedImage(repository, image, 'v1'),
    pushedManifest(repository, image, 'v2'),
    del(`${repository}/blobs/${digest}`, 'a layer in use'),
    { method: 'HEAD', target: `${repository}/blobs/${digest}`, note: 'the layer in use' },
    del(`${manifests}/v1`, 'by tag'),
    del(`${manifests}/v1`, 'by tag, twice'),
    { method: 'GET', target: `${manifests}/v1`, headers: acceptAll, note: 'tag deleted' },
    { method: 'HEAD', target: `${manifests}/${image.digest}`, headers: acceptAll, note: 'its manifest' },
    del(`${manifests}/${image.digest}`, 'by digest'),
    { method: 'GET', target: `${manifests}/v2`, headers: acceptAll, note: 'the manifest is gone' },
    { method: 'GET', target: `${repository}/tags/list`, note: 'the manifest is gone' },
    del(`${manifests}/${image.digest}`, 'by digest, twice'),
    del(`${repository}/blobs/${configOf('deletes').digest}`, 'a blob that nothing uses'),
    del(`${repository}/blobs/${configOf('deletes').digest}`, 'a blob, twice'),
    { method: 'HEAD', target: `${repository}/blobs/${configOf('deletes').digest}`, note: 'deleted' },
  ]
})

const deletesOfNothing = script('deletes-of-nothing', (repository) => {
  const blob = contentOf('deletes-of-nothing')
  const tagsAndDigests = [
    'absent',
    '.dot',
    absentDigest,
    'sha256:short',
    digestOf(blob.bytes, 'sha512'),
    blob.digest,
  ]
  return [
    ...eachTarget('DELETE', `${repository}/manifests/`, ['absent', absentDigest]),
    ...eachTarget('DELETE', `${repository}/blobs/`, [absentDigest]),
    ...pushedBlob(repository, blob),
    { method: 'GET', target: `${repository}/tags/list`, note: 'a blob and no manifest' },
    ...tagsAndDigests.map((reference) => ({
      method: 'DELETE',
      target: `${repository}/manifests/${reference}`,
      note: 'of a repository with one blob',
    })),
    ...eachTarget('DELETE', `${repository}/blobs/`, ['sha256:short', 'v1', digestOf(blob.bytes, 'sha512')]),
  ]
})

const deletesOfChildren = script('deletes-of-children', (repository) => {
  const child = imageOf('deletes-of-children')
  const index = anImageIndex({ manifests: [child] })
  return [
    ...pushedImage(repository, index, 'index'),
    { method: 'DELETE', target: `${repository}/manifests/${child.digest}`, note: 'child of an index' },
    { method: 'GET', target: `${repository}/manifests/index`, headers: acceptAll, note: 'its child is gone' },
    { method: 'DELETE', target: `${repository}/manifests/index` },
    { method: 'GET', target: `${repository}/tags/list`, note: 'the last tag is deleted' },
  ]
})

export const catalogScript = catalog
export const listScripts: readonly Script[] = [tags, deletes, deletesOfNothing, deletesOfChildren]
