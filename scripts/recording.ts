/**
 * `npm run docs:recording`: runs the first commands of the README against a real registry and draws what the terminal shows, as
 * `docs/first-push.svg`. Needs docker, podman and skopeo, as the tests of the README do.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runReadme } from '../test/clients/readme-run.ts'
import type { RanCommand } from '../test/clients/readme-run.ts'

/** The commands that the picture shows, by how they begin. */
const shown = ['npx lading serve', 'docker login', 'docker push', 'npx lading repository set']
const columns = 98
const charWidth = 8.4
const lineHeight = 20
const padding = 20
const secondsPerLine = 0.5

const lines = (await runReadme()).commands
  .filter(({ line }) => shown.some((start) => line.startsWith(start)))
  .flatMap(toLines)
writeFileSync(join(import.meta.dirname, '../docs/first-push.svg'), draw(lines))

/** The command and its output, without what differs at each run or would show a password. */
function toLines({ line, printed }: RanCommand): string[] {
  const output = printed
    .replaceAll(/[a-z2-9]{4}(?:-[a-z2-9]{4}){4}/g, 'xxxx-xxxx-xxxx-xxxx-xxxx')
    .split('\n')
    .filter(
      (text) =>
        text !== '' && !/^WARNING|^Configure a credential|^https:|: (?:Preparing|Waiting)$/.test(text),
    )
  return [...wrap(`$ ${line}`), ...output.flatMap(wrap), '']
}

function wrap(text: string): string[] {
  const parts = text.match(new RegExp(`.{1,${columns}}`, 'g'))
  return parts ?? ['']
}

/** Each line appears after the one above it and stays; where nothing moves, all of them show. */
function draw(texts: readonly string[]): string {
  const width = Math.ceil(columns * charWidth + 2 * padding)
  const height = texts.length * lineHeight + 2 * padding
  const rows = texts.map((text, index) => {
    const y = padding + (index + 1) * lineHeight - 6
    const kind = text.startsWith('$ ') ? ' class="command"' : ''
    return `<text x="${padding}" y="${y}" style="animation-delay:${index * secondsPerLine}s"${kind}>${escape(text)}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>The first commands of the README and what they print</title>
<style>
text{font:14px ui-monospace,Menlo,Consolas,monospace;fill:#d4d4d4;white-space:pre}
.command{fill:#7ee787}
@media (prefers-reduced-motion:no-preference){text{animation:show 1ms both}@keyframes show{from{opacity:0}to{opacity:1}}}
</style>
<rect width="100%" height="100%" rx="8" fill="#1e1e1e"/>
${rows.join('\n')}
</svg>
`
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
