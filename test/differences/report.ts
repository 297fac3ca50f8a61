/** Writes `docs/differences.md` from a run. */
import type { Difference } from './compare.ts'
import type { Judgement } from './judge.ts'
import type { Chapter, Reason } from './reason.ts'
import { noteMark, shorten } from './describe.ts'
import { show } from './reason.ts'
import type { Run } from './run.ts'

/** A row with more than `mostRequests` requests names only the first `fewRequests`. */
const mostRequests = 12
const fewRequests = 4

export function writeReport(
  { requests, scripts, differences }: Run,
  { found }: Judgement,
  chapters: readonly Chapter[],
): string {
  const counts = chapters.map((chapter) => [chapter.title, countOf(chapter.reasons, found)] as const)
  return `# Differences from Distribution

This page lists every difference between the replies of Lading and of Distribution 3.1.2, with its reason.
\`npm run differences\` generates it. The command sends ${requests} requests in ${scripts} scripts to both registries and
compares the status, the error codes, every header and every body. The scripts and the reasons are in
\`test/differences/\`. Its test fails if a difference has no reason, if a reason has no difference, or if this page is
stale.

Both registries run with their defaults, except that Distribution allows deletes and Lading has \`auth.anonymous: push\`,
so that neither requires credentials. Ids, dates and error messages are not compared. If only one of the registries
refuses a request, the table shows only the status and the codes, because the headers of such replies always differ.

${table(['chapter', 'differences'], [...counts.map(([title, count]) => [title, String(count)]), ['total', String(differences.length)]])}

Requests with the same pair of values share a row; a long row names only the first of them. \`<repository>\` is the
repository of the script and \`<session>\` the URL of an upload session. Long digests are shortened.

${chapters.map((chapter) => writeChapter(chapter, found)).join('\n\n')}
`
}

function countOf(reasons: readonly Reason[], found: Judgement['found']): number {
  return reasons.reduce((sum, reason) => sum + (found.get(reason)?.length ?? 0), 0)
}

function writeChapter({ title, reasons }: Chapter, found: Judgement['found']): string {
  const parts = reasons.map((reason) => writeReason(reason, found.get(reason) ?? []))
  return [`## ${title}`, ...parts].join('\n\n')
}

function writeReason({ title, source, text }: Reason, differences: readonly Difference[]): string {
  const rows = [...Map.groupBy(differences, pairOf).values()].map(writeRow)
  return `### ${title}\n\n**${source}.** ${text}\n\n${table(['request', 'Distribution', 'Lading'], rows)}`
}

function pairOf(difference: Difference): string {
  const { aspect } = difference
  return JSON.stringify([aspect, ...showPair(difference)])
}

function writeRow(differences: readonly Difference[]): string[] {
  const [first] = differences
  if (first === undefined) return []
  const requests = [...new Set(differences.map(({ request }) => request))]
  const named = (requests.length > mostRequests ? requests.slice(0, fewRequests) : requests).map(writeRequest)
  if (differences.length > named.length) named.push(`(${differences.length} requests in total)`)
  const label =
    first.aspect === 'answer' ? '' : `${first.aspect === 'body' ? 'body' : headerName(first.aspect)}: `
  return [named.join('<br>'), ...showPair(first).map((value) => `${label}${code(value)}`)]
}

/** Shows both digests if they are the difference. */
function showPair({ theirs, ours }: Difference): string[] {
  const shown = [theirs, ours].map(show)
  return shown[0] === shown[1] ? [theirs, ours].map(shorten) : shown
}

function writeRequest(request: string): string {
  const [line = '', ...note] = request.split(noteMark)
  return [code(line), ...note.map(escape)].join(noteMark)
}

function escape(text: string): string {
  return text.replaceAll(/[*_<>`]/g, String.raw`\$&`)
}

function headerName(name: string): string {
  return name
    .replaceAll(/(^|-)([a-z])/g, (_match, dash: string, letter: string) => `${dash}${letter.toUpperCase()}`)
    .replaceAll(/\b(Api|Id|Oci|Uuid)\b/g, (word) => word.toUpperCase())
    .replace('Etag', 'ETag')
}

function code(text: string): string {
  return `\`${text.replaceAll('`', "'").replaceAll(/\s*\r?\n\s*/g, ' ')}\``
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows]
  return lines
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`)
    .join('\n')
}
