import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { ask } from '../support/http/client.ts'
import { anOciLayout } from '../support/content/oci-layout.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import { addUser, alice, bob, setVisibility, startWithUsers } from './accounts.ts'
import { aPodman, configJson, runClient } from './run-client.ts'

interface Skopeo extends AsyncDisposable {
  readonly registry: RunningRegistry
  readonly authFile: string
  /** Returns `docker://<host>/<path>`. */
  image(path: string): string
  run(...args: readonly string[]): Promise<string>
  copy(source: string, destination: string): Promise<string>
}

/** Starts a registry with users, and skopeo with its own file of logins. */
async function start(env: Readonly<Record<string, string>> = {}): Promise<Skopeo> {
  await using stack = new AsyncDisposableStack()
  const registry = stack.use(await startWithUsers(env))
  const folder = stack.use(await tempFolder())
  const authFile = join(folder.path, 'auth.json')
  const run = async (...args: readonly string[]) => {
    const { stdout } = await runClient('skopeo', args, { env: { REGISTRY_AUTH_FILE: authFile } })
    return stdout.trim()
  }
  const resources = stack.move()
  return {
    registry,
    authFile,
    run,
    image: (path) => `docker://${registry.host}/${path}`,
    copy: (source, destination) =>
      run('copy', '--all', '--src-tls-verify=false', '--dest-tls-verify=false', source, destination),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

function loginArguments(host: string, { name, password }: typeof alice): string[] {
  return ['login', '--tls-verify=false', '--username', name, '--password', password, host]
}

describe('skopeo and a registry that gives nothing to anonymous clients', () => {
  test('reports that a login is needed, and a wrong password only if it sent one', async () => {
    await using skopeo = await start({ LADING_AUTH_ANONYMOUS: 'none' })
    await using layout = await anOciLayout()
    const image = skopeo.image('alice/app:v1')
    const inspect = (...flags: readonly string[]): Promise<string> =>
      skopeo.run('inspect', '--tls-verify=false', ...flags, image)
    const attempts = [() => inspect(), () => skopeo.copy(`oci:${layout.path}:v1`, image)]
    for (const attempt of attempts) {
      const error: unknown = await attempt().catch((reason: unknown) => reason)
      expect(String(error)).toMatch(
        /a token issued without a login cannot be used to pull from alice\/app: log in/,
      )
      expect(String(error)).not.toContain('invalid username/password')
    }
    await expect(inspect('--creds', 'alice:wrong')).rejects.toThrow(
      /invalid username\/password: unauthorized: incorrect name or password/,
    )
    await skopeo.run(...loginArguments(skopeo.registry.host, alice))
    await skopeo.copy(`oci:${layout.path}:v1`, image)
    expect(await inspect()).toContain('"Digest"')
  })
})

describe('skopeo with users', () => {
  test('logs in only with the right password, pushes a private image and pulls it', async () => {
    await using skopeo = await start()
    await using layout = await anOciLayout()
    await using out = await tempFolder()
    const { host } = skopeo.registry
    const image = skopeo.image('alice/app:v1')

    await expect(skopeo.run(...loginArguments(host, { ...alice, password: 'wrong' }))).rejects.toThrow(
      /invalid username\/password/,
    )
    expect(await skopeo.run(...loginArguments(host, alice))).toContain('Login Succeeded')
    await skopeo.copy(`oci:${layout.path}:v1`, image)
    await skopeo.copy(image, `oci:${out.path}:v1`)

    expect(await readFile(join(out.path, 'index.json'), 'utf8')).toContain(layout.manifest.digest)
    await skopeo.run('logout', host)
    await expect(skopeo.run('inspect', '--raw', '--tls-verify=false', image)).rejects.toThrow(/unauthorized/)
    await setVisibility(skopeo.registry, 'alice/app', 'public')
    const raw = await skopeo.run('inspect', '--raw', '--tls-verify=false', image)
    expect(raw).toBe(layout.manifest.bytes.toString('utf8').trim())
  })

  test('uses a config.json that kubectl made', async () => {
    await using skopeo = await start()
    await using layout = await anOciLayout()
    await writeFile(skopeo.authFile, configJson(skopeo.registry.host, alice))

    await skopeo.copy(`oci:${layout.path}:v1`, skopeo.image('alice/app:v1'))

    const raw = await skopeo.run('inspect', '--raw', '--tls-verify=false', skopeo.image('alice/app:v1'))
    expect(raw).toBe(layout.manifest.bytes.toString('utf8'))
  })

  test('reports that the name belongs to another owner', async () => {
    await using skopeo = await start()
    await using layout = await anOciLayout()
    await writeFile(skopeo.authFile, configJson(skopeo.registry.host, bob))

    await expect(skopeo.copy(`oci:${layout.path}:v1`, skopeo.image('alice/app:v1'))).rejects.toThrow(
      'denied: user bob may not pull from alice/app with this token: ask alice or an administrator',
    )
  })

  test('copies from a public repository of another owner without sending a byte of the layers', async () => {
    await using skopeo = await start()
    await using layout = await anOciLayout({ platforms: ['linux/amd64'] })
    const [source, target] = [skopeo.image('alice/app:v1'), skopeo.image('bob/copy:v1')]
    await writeFile(skopeo.authFile, configJson(skopeo.registry.host, alice))
    await skopeo.copy(`oci:${layout.path}:v1`, source)
    await setVisibility(skopeo.registry, 'alice/app', 'public')
    await writeFile(skopeo.authFile, configJson(skopeo.registry.host, bob))

    const { stderr } = await runClient(
      'skopeo',
      ['--debug', 'copy', '--src-tls-verify=false', '--dest-tls-verify=false', source, target],
      { env: { REGISTRY_AUTH_FILE: skopeo.authFile } },
    )

    expect(stderr.match(/\.\.\. mount OK/g)).toHaveLength(2)
  })
})

describe('podman with users', () => {
  test('logs in only with the right password, pushes a private image and pulls it', async () => {
    await using registry = await startWithUsers()
    await using podman = await aPodman()
    await using layout = await anOciLayout({ platforms: ['linux/amd64'] })
    const carol = { name: 'carol', password: 'pass:word with "quotes" and ünïcode' }
    await addUser(registry, carol)
    const image = `${registry.host}/carol/app:v1`
    const id = await podman.run('pull', '--quiet', `oci:${layout.path}:v1`)
    const push = () => podman.run('push', '--tls-verify=false', id, `docker://${image}`)

    await expect(podman.run(...loginArguments(registry.host, { ...carol, password: 'x' }))).rejects.toThrow(
      /invalid username\/password/,
    )
    await expect(push()).rejects.toThrow('denied: a token issued without a login cannot be used to pull from')
    await podman.run(...loginArguments(registry.host, carol))
    await push()
    await podman.run('rmi', '--all', '--force')
    await podman.run('pull', '--quiet', '--tls-verify=false', image)

    const anonymous = await ask(`${registry.url}/v2/carol/app/manifests/v1`)
    expect(anonymous.status).toBe(401)
    await podman.run('logout', registry.host)
    await expect(podman.run('pull', '--quiet', '--tls-verify=false', image)).rejects.toThrow(
      /unauthorized|denied/,
    )
  })
})
