/** @module A headless Chromium over its debugging pipe: opens pages, and tells what they requested and complained about. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { tempFolder } from './temp-folder.ts'

export interface BrowserPage {
  /** Each URL that the page requested. */
  readonly requests: readonly string[]
  /** Errors of the console, uncaught exceptions and violations of the Content-Security-Policy. */
  readonly complaints: readonly string[]
  /** Resolves when the page and its scripts are loaded. */
  open(url: string): Promise<void>
  /** The value of a JavaScript expression in the page, as JSON. */
  evaluate(expression: string): Promise<unknown>
  /** A PNG. */
  screenshot(): Promise<Buffer>
}

export interface Browser extends AsyncDisposable {
  newPage(): Promise<BrowserPage>
}

interface Message {
  readonly id?: number
  readonly sessionId?: string
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly message: string }
}

const flags = ['--remote-debugging-pipe', '--no-sandbox', '--disable-gpu', '--disable-background-networking']

/** Starts `chromium-headless-shell` of Debian. Disposing ends it. */
export async function startBrowser(): Promise<Browser> {
  const folder = await tempFolder('lading-browser')
  const child = spawn('chromium-headless-shell', [...flags, `--user-data-dir=${folder.path}`], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  })
  await once(child, 'spawn')
  const connection = new Connection(child)
  return {
    newPage: () => openPage(connection),
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** The DevTools protocol: JSON messages, each with a zero byte at its end. */
class Connection {
  readonly #input: Writable
  readonly #waiting = new Map<number, PromiseWithResolvers<Readonly<Record<string, unknown>>>>()
  readonly #listeners: ((message: Message) => void)[] = []
  #lastId = 0
  #rest = ''

  constructor({ stdio }: ChildProcess) {
    this.#input = stdio[3] as Writable
    const output = stdio[4] as Readable
    output.setEncoding('utf8').on('data', (text: string) => this.#read(text))
    output.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the browser ended'))
    })
  }

  listen(listener: (message: Message) => void): void {
    this.#listeners.push(listener)
  }

  send(method: string, params: object = {}, sessionId?: string): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#lastId
    const waiting = Promise.withResolvers<Readonly<Record<string, unknown>>>()
    this.#waiting.set(id, waiting)
    this.#input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    return waiting.promise
  }

  #read(text: string): void {
    const parts = `${this.#rest}${text}`.split('\0')
    this.#rest = parts.pop() ?? ''
    for (const part of parts) this.#take(JSON.parse(part) as Message)
  }

  #take(message: Message): void {
    for (const listener of this.#listeners) listener(message)
    const waiting = this.#waiting.get(message.id ?? 0)
    if (waiting === undefined) return
    this.#waiting.delete(message.id ?? 0)
    if (message.error === undefined) waiting.resolve(message.result ?? {})
    else waiting.reject(new Error(message.error.message))
  }
}

async function openPage(connection: Connection): Promise<BrowserPage> {
  const { targetId } = await connection.send('Target.createTarget', { url: 'about:blank' })
  const { sessionId: session } = await connection.send('Target.attachToTarget', { targetId, flatten: true })
  const send = (method: string, params?: object) => connection.send(method, params, String(session))
  const requests: string[] = []
  const complaints: string[] = []
  let loaded = Promise.withResolvers<void>()
  connection.listen(({ sessionId, method, params = {} }) => {
    if (sessionId !== session) return
    if (method === 'Page.loadEventFired') loaded.resolve()
    if (method === 'Network.requestWillBeSent') requests.push((params['request'] as { url: string }).url)
    const complaint = readComplaint(method, params)
    if (complaint !== undefined) complaints.push(complaint)
  })
  for (const domain of ['Page', 'Network', 'Log', 'Runtime']) await send(`${domain}.enable`)
  return {
    requests,
    complaints,
    async open(url) {
      loaded = Promise.withResolvers()
      await send('Page.navigate', { url })
      await loaded.promise
    },
    async evaluate(expression) {
      const { result } = await send('Runtime.evaluate', {
        expression,
        returnByValue: true,
        awaitPromise: true,
      })
      return (result as { value?: unknown }).value
    },
    async screenshot() {
      const { data } = await send('Page.captureScreenshot', { captureBeyondViewport: true })
      return Buffer.from(String(data), 'base64')
    },
  }
}

function readComplaint(
  method: string | undefined,
  params: Readonly<Record<string, unknown>>,
): string | undefined {
  if (method === 'Runtime.exceptionThrown') return JSON.stringify(params['exceptionDetails'])
  if (method === 'Runtime.consoleAPICalled' && ['error', 'assert'].includes(String(params['type'])))
    return JSON.stringify(params['args'])
  if (method !== 'Log.entryAdded') return undefined
  const { level, text } = params['entry'] as { level: string; text: string }
  return level === 'error' ? text : undefined
}
