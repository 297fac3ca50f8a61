/** The pipelines of docs/ci.md push an image: their shell steps run as they stand, against a registry with a robot. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

import { ask } from '../support/http/client.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import { basic } from '../support/parts/identity-server.ts'
import { startEngine } from './docker-engine.ts'
import { runClient } from './run-client.ts'

const sha = '0123456789abcdef'
const lading = join(import.meta.dirname, '../../bin/lading.js')

interface Pipeline {
  readonly environment: Readonly<Record<string, string>>
  readonly steps: readonly string[]
}

interface GitHubWorkflow {
  readonly jobs: {
    readonly image: { readonly env: Record<string, string>; readonly steps: readonly { run?: string }[] }
  }
}

interface GitLabPipeline {
  readonly image: { readonly variables: Record<string, string>; readonly script: readonly string[] }
}

/** With the variables as the two services fill them in. */
async function readPipelines(): Promise<readonly [string, Pipeline][]> {
  const page = await readFile(join(import.meta.dirname, '../../docs/ci.md'), 'utf8')
  const [gitHub = '', gitLab = ''] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text)
  const { env, steps } = (parse(gitHub.replace('${{ github.sha }}', sha)) as GitHubWorkflow).jobs.image
  const { variables, script } = (parse(gitLab.replace('$CI_COMMIT_SHA', sha)) as GitLabPipeline).image
  return [
    ['GitHub Actions', { environment: env, steps: steps.flatMap(({ run }) => run ?? []) }],
    ['GitLab CI', { environment: variables, steps: script }],
  ]
}

test.for(await readPipelines())('%s logs in, builds and pushes', async ([, { environment, steps }]) => {
  await using registry = await startRegistry({ env: { LADING_AUTH_ANONYMOUS: 'none' } })
  await using engine = await startEngine({ name: 'docker', containerdStore: false })
  await using client = await engine.client()
  await using folder = await tempFolder('lading-pipeline')
  await writeFile(join(folder.path, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n')
  const administer = async (...args: readonly string[]) => {
    const { stdout } = await runClient(lading, args, { env: { LADING_DATA: registry.dataDir } })
    return stdout.trim()
  }
  await administer('org', 'create', 'acme')
  await administer('robot', 'add', 'acme+ci')
  await administer('grant', 'add', 'acme+ci', 'writer', 'acme', 'web')
  const made = await administer('token', 'create', 'acme+ci', '--name', 'pipeline', '--json')
  const { secret } = JSON.parse(made) as { secret: string }

  const atRegistry = (text: string) => text.replaceAll('registry.example.com', registry.host)
  const variables = Object.entries(environment).map(([name, value]) => [name, atRegistry(value)])
  const env = {
    ...client.env,
    ...Object.fromEntries(variables),
    REGISTRY_TOKEN: secret,
    DOCKER_BUILDKIT: '0',
  }
  for (const step of steps) await runClient('bash', ['-c', atRegistry(step)], { env, cwd: folder.path })

  const headers = { authorization: basic('acme+ci', secret) }
  const pushed = await ask(`${registry.url}/v2/acme/web/manifests/${sha}`, { method: 'HEAD', headers })
  expect(pushed.status).toBe(200)
})
