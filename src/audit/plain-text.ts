/** What clients say of themselves becomes one line of bounded length: no control characters, nothing invisible. */

const unfit = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

export function plainText(text: string, maxCharacters: number): string {
  return text.slice(0, maxCharacters).toWellFormed().replaceAll(unfit, '\uFFFD')
}
