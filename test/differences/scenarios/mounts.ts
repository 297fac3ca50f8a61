import { absentDigest, contentOf } from '../content.ts'
import type { Step } from '../step.ts'
import { pushedBlob, repositoryPath, script, session } from '../step.ts'

const mounts = script('mounts', (repository) => {
  const source = repositoryPath('mount-source')
  const from = source.slice('/v2/'.length)
  const { digest } = contentOf('mounts')
  const post = (query: string, note: string): Step => ({
    method: 'POST',
    target: `${repository}/blobs/uploads/?${query}`,
    note,
    body: '',
  })
  return [
    ...pushedBlob(source, contentOf('mounts')),
    post(`mount=${absentDigest}&from=${from}`, 'a blob that the source has not'),
    post(`mount=${digest}&from=diff/no-such-repository`, 'from an unknown repository'),
    post(`mount=${digest}&from=UPPER/case`, 'from no possible name'),
    post(`mount=${digest}&from=one`, 'from a name of one component'),
    post(`mount=${digest}&from=`, 'from is empty'),
    post(`mount=sha256:short&from=${from}`, 'malformed digest'),
    post(`mount=md5:${'0'.repeat(32)}&from=${from}`, 'unknown algorithm'),
    post('mount=', 'empty mount'),
    post(`mount=${digest}&from=${from}`, 'from a repository that has it'),
    { method: 'HEAD', target: `${repository}/blobs/${digest}`, note: 'after the mount' },
    post(`mount=${digest}&from=${from}`, 'mounted again'),
    post(`mount=${absentDigest}`, 'no from, nobody has it'),
  ]
})

const anonymousMount = script('mount-without-from', (repository) => {
  const { digest } = contentOf('mounts')
  return [
    {
      method: 'POST',
      target: `${repository}/blobs/uploads/?mount=${digest}`,
      body: '',
      note: 'no from, another repository has it',
    },
    { method: 'HEAD', target: `${repository}/blobs/${digest}`, note: 'after the mount' },
  ]
})

const isolation = script('isolation', (repository) => {
  const { digest } = contentOf('mounts')
  return [
    { method: 'HEAD', target: `${repository}/blobs/${digest}`, note: 'a blob of another repository' },
    {
      method: 'POST',
      target: `${repositoryPath('mount-source')}/blobs/uploads/`,
      note: 'session of another repository',
    },
    { method: 'GET', target: session('opened'), note: 'its own URL' },
  ]
})

export const mountScripts = [mounts, anonymousMount, isolation]
