/** What clients say of themselves becomes one line of bounded length: no control characters, nothing invisible. */

const unfit = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
/** Nearly all texts are; to look further costs more than the rest of an event. */
const harmless = /^[ -~]*$/

export function plainText(text: string, maxCharacters: number): string {
  const short = text.slice(0, maxCharacters)
  return harmless.test(short) ? short : short.toWellFormed().replaceAll(unfit, '\uFFFD')
}
