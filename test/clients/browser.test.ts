/** The pages of the registry in a real browser: what they show, what they load, and that their policy stops nothing of theirs. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { endpoints } from '../../src/api/endpoints.ts'
import { startBrowser } from '../support/processes/browser.ts'
import type { Browser, BrowserPage } from '../support/processes/browser.ts'
import { eventually } from '../support/eventually.ts'
import { passwordOf } from '../support/parts/identity-server.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { tester } from '../support/parts/tester.ts'

const registry = shareRegistry({ auth: { anonymous: 'none' } })

let browser: Browser

beforeAll(async () => {
  browser = await startBrowser()
  const { accounts } = registry.app.auth
  await accounts.add({ name: 'root', password: passwordOf('root'), isAdmin: true }, tester)
})

afterAll(() => browser[Symbol.asyncDispose]())

/** A loaded machine may take long to run the viewer. */
const deadlineMs = 60_000

async function openDocs(page: BrowserPage, fragment = ''): Promise<void> {
  await page.open(`${registry.url}/api/v1/docs${fragment}`)
  const count = () => page.evaluate("document.querySelectorAll('.opblock').length")
  await eventually(count, (shown) => shown === endpoints.length, deadlineMs)
}

/** A browser may ask for more than a page names, such as its own start page. */
function foreign(page: BrowserPage): string[] {
  return page.requests.filter((url) => !url.startsWith(`${registry.url}/`) && !/^(?:data|about):/.test(url))
}

describe('the home page', () => {
  test('leads to the reference', async () => {
    const page = await browser.newPage()
    await page.open(registry.url)
    expect(await page.evaluate('document.title')).toBe('Lading')
    expect(await page.evaluate("document.querySelector('a').href")).toBe(`${registry.url}/api/v1/docs`)
    expect([page.complaints, foreign(page)]).toEqual([[], []])
  })
})

describe('the reference', () => {
  test('shows every endpoint, and requests nothing from elsewhere', async () => {
    const page = await browser.newPage()
    await openDocs(page)
    const shown = await page.evaluate(
      "[...document.querySelectorAll('.opblock-summary-path')].map((path) => path.dataset.path)",
    )
    expect(new Set(shown as string[])).toEqual(new Set(endpoints.map(({ path }) => path)))
    expect([page.complaints, foreign(page)]).toEqual([[], []])
  })

  test('sends a request that a reader tries out', async () => {
    const page = await browser.newPage()
    await openDocs(page)
    await page.evaluate(`ui.preauthorizeBasic('basic', 'root', ${JSON.stringify(passwordOf('root'))})`)
    const operation = '#operations-me-whoAmI'
    // Clicks as soon as the button is there.
    const click = (button: string) => {
      const script = `((found) => { found?.click(); return found !== null })(document.querySelector('${operation} ${button}'))`
      return eventually(
        () => page.evaluate(script),
        (clicked) => clicked === true,
        deadlineMs,
      )
    }
    for (const button of ['.opblock-summary-control', '.try-out__btn', '.execute']) await click(button)
    const read = () =>
      page.evaluate(`document.querySelector('${operation} .live-responses-table')?.textContent`)
    expect(await eventually(read, (text) => typeof text === 'string', deadlineMs)).toContain(
      '"isAdmin": true',
    )
    expect([page.complaints, foreign(page)]).toEqual([[], []])
  })

  test('opens the meaning of a code that a refusal links to', async () => {
    const page = await browser.newPage()
    await openDocs(page, '#DENIED')
    expect(await page.evaluate("document.getElementById('DENIED').checkVisibility()")).toBe(true)
  })
})
