import { quote } from './quote.ts'

/** Keys and positions from the root of a document; the root itself is the empty path. */
export type JsonPath = readonly (string | number)[]

const identifierPattern = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/

/** Formats a path as a person would write it: `layers[3].annotations["org.example"]`; the root is `the document`. */
export function formatJsonPath(path: JsonPath): string {
  if (path.length === 0) return 'the document'
  return path.reduce<string>((text, step) => text + formatStep(step, text === ''), '')
}

function formatStep(step: string | number, first: boolean): string {
  if (typeof step === 'number') return `[${step}]`
  if (!identifierPattern.test(step)) return `[${quote(step)}]`
  return first ? step : `.${step}`
}
