/** The common parts of the HTML pages: escaping, the style and the head. */
import { hash } from 'node:crypto'

const style = `
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; color: #1a1a1a; background: #fff }
main, header { max-width: 60rem; margin: 0 auto; padding: 1rem }
code, pre { font: 14px/1.4 ui-monospace, monospace }
pre { background: #f2f2f2; padding: .75rem; overflow-x: auto }
h1 small { font-size: 1rem; font-weight: 400; color: #666 }
dt { margin-top: .5rem } :target { background: #fff3b0 }
`

const styleHash = hash('sha256', style, 'base64')

/** The source of the style of every page, for `style-src` of its Content-Security-Policy. */
export const styleSource = `'sha256-${styleHash}'`

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? character)
}

/** `head` and `body` are HTML, `title` is text. */
export function formatHtml({
  title,
  head = '',
  body,
}: {
  title: string
  head?: string
  body: string
}): string {
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>`,
    `<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">`,
    `<style>${style}</style>${head}</head><body>`,
    body,
    '</body></html>\n',
  ].join('\n')
}
