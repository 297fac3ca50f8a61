/** nginx with TLS in front of a registry, as Debian installs it. */
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from 'node:tls'

import { createCertificate } from '../support/content/certificate.ts'
import { startDaemon } from '../support/processes/run-daemon.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'

export interface NginxOptions {
  readonly port: number
  /** The address of the registry, `127.0.0.1:<port>`. */
  readonly upstream: string
  /** Lines such as `proxy_set_header Host $http_host;`. */
  readonly headers: readonly string[]
}

export interface Nginx extends AsyncDisposable {
  /** The folder of `ca.crt`, in the layout that skopeo needs. */
  readonly certificateFolder: string
  readonly certificate: string
}

export async function startNginx({ port, upstream, headers }: NginxOptions): Promise<Nginx> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder('nginx'))
  const certificateFolder = join(folder.path, 'certs')
  await mkdir(certificateFolder)
  const { cert, key } = createCertificate()
  await writeFile(join(certificateFolder, 'ca.crt'), cert)
  await writeFile(join(folder.path, 'tls.key'), key)
  await writeFile(join(folder.path, 'nginx.conf'), formatConfig({ port, upstream, headers }))
  stack.use(
    await startDaemon({
      command: ['/usr/sbin/nginx', '-p', folder.path, '-e', 'stderr', '-c', 'nginx.conf'],
      isReady: () => answers(port, cert),
    }),
  )
  const resources = stack.move()
  return { certificateFolder, certificate: cert, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

function formatConfig({ port, upstream, headers }: NginxOptions): string {
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  // One process, so that one signal stops it and the user who runs it may write to the folder.
  return `daemon off;
master_process off;
pid nginx.pid;
events {}
http {
  access_log off;
  ${folders.map((name) => `${name}_temp_path ${name};`).join('\n  ')}
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate certs/ca.crt;
    ssl_certificate_key tls.key;
    client_max_body_size 0;
    location / {
      proxy_pass http://${upstream};
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_buffering off;
      ${headers.join('\n      ')}
    }
  }
}
`
}

async function answers(port: number, ca: string): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost' })
  try {
    await once(socket, 'secureConnect')
    return true
  } finally {
    socket.destroy()
  }
}
