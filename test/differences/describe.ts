/** Formats requests and values for the document: short, and the same in every run. */
import type { AnyStep, Script } from './step.ts'
import { repositoryPath } from './step.ts'

const longestCell = 160

/** The separator between a request and its note. */
export const noteMark = ' — '

export function describeRequest(step: AnyStep, script: Script): string {
  if ('wire' in step) return step.note
  const { method, target, note } = step
  const path =
    typeof target === 'string' ? target : `<session>${target.query === '' ? '' : `?${target.query}`}`
  const line = `${method} ${path.replace(`${repositoryPath(script.name)}/`, '/v2/<repository>/')}`
  return shorten(note === undefined || note === '' ? line : `${line}${noteMark}${note}`)
}

export function shorten(text: string): string {
  const short = text
    .replaceAll(/(sha256|sha512|blake3|md5)(:|%3A)([0-9a-fA-F]{8})[0-9a-fA-F]{24,}/g, '$1$2$3…')
    .replaceAll(/(.)\1{19,}/g, (run: string, character: string) => `${character}…(${run.length})`)
  return short.length > longestCell ? `${short.slice(0, longestCell)}…` : short
}

/** Replaces repositories and digests, so that differences in them alone are one case. */
export function generalise(value: string): string {
  return value
    .replace(/\/v2\/\S+\/(blobs\/|manifests\/|referrers\/|tags\/list)/, '/v2/<repository>/$1')
    .replaceAll(/sha(256|512):[0-9a-f]{64,}/g, '<digest>')
}
