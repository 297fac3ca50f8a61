/** Turns text that clients send about themselves into one line of limited length, without control or invisible characters. */

const unfit = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

export function plainText(text: string, maxCharacters: number): string {
  return text.slice(0, maxCharacters).toWellFormed().replaceAll(unfit, '\uFFFD')
}
