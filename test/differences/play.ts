/** Plays a script against one registry, and follows its URLs of upload sessions, which differ between registries. */
import type { Answer } from './send.ts'
import { host, send, sendWire } from './send.ts'
import type { AnyStep, Script, SessionTarget, Step } from './step.ts'

interface Sessions {
  opened: string | undefined
  latest: string | undefined
}

export async function play(url: string, { name, steps }: Script): Promise<Answer[]> {
  const sessions: Sessions = { opened: undefined, latest: undefined }
  const answers: Answer[] = []
  for (const step of steps) {
    try {
      answers.push(await playStep(url, step, sessions))
    } catch (cause) {
      throw new Error(`script ${name}, step ${answers.length + 1}, at ${url}: ${String(cause)}`, { cause })
    }
  }
  return answers
}

async function playStep(url: string, step: AnyStep, sessions: Sessions): Promise<Answer> {
  if ('wire' in step) return await sendWire(url, step)
  const target = typeof step.target === 'string' ? step.target : sessionTarget(step.target, sessions)
  const answer = await send(url, step, target)
  followSession(step, answer, sessions)
  return answer
}

function sessionTarget({ session, query }: SessionTarget, sessions: Sessions): string {
  const location = sessions[session]
  if (location === undefined) throw new Error('no upload session is open')
  if (query === '') return location
  return `${location}${location.includes('?') ? '&' : '?'}${query}`
}

function followSession(step: Step, { status, headers }: Answer, sessions: Sessions): void {
  const location = headers.get('location')
  if (status !== 202 || location === undefined) return
  const { pathname, search } = new URL(location, `http://${host}`)
  sessions.latest = `${pathname}${search}`
  if (step.method === 'POST') sessions.opened = sessions.latest
}
