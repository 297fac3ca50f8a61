import { describe, expect, test, vi } from 'vitest'
import { withProgress } from './progress.ts'

function terminal() {
  const shown: string[] = []
  return { shown, host: { showProgress: (text: string) => void shown.push(text) } }
}

describe('progress', () => {
  test('shows one text in each tenth of a second, and nothing at the end', async () => {
    vi.useFakeTimers()
    const { shown, host } = terminal()
    const result = await withProgress({ host, json: false }, async (show) => {
      for (const text of ['one', 'two']) show(text)
      vi.advanceTimersByTime(100)
      for (const text of ['three', 'four']) show(text)
      return 'done'
    })
    vi.useRealTimers()
    expect(result).toBe('done')
    expect(shown).toEqual(['one', 'three', ''])
  })

  test('removes its text when the work fails', async () => {
    const { shown, host } = terminal()
    const work = withProgress({ host, json: false }, (show) => {
      show('one')
      return Promise.reject(new Error('no'))
    })
    await expect(work).rejects.toThrow('no')
    expect(shown).toEqual(['one', ''])
  })

  test('shows nothing with --json, and works without a terminal', async () => {
    const { shown, host } = terminal()
    const work = (show: (text: string) => void): Promise<number> => {
      show('one')
      return Promise.resolve(1)
    }
    expect(await withProgress({ host, json: true }, work)).toBe(1)
    expect(await withProgress({ host: {}, json: false }, work)).toBe(1)
    expect(shown).toEqual([])
  })
})
