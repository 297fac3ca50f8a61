const maxQuotedCharacters = 80

/**
 * Makes a client's text safe for a message, a log line or an error detail: in quotes, cut if long, with every character that
 * could start a new line or change the direction of the text written as `\u....`.
 */
export function quote(text: string): string {
  const cut = text.length > maxQuotedCharacters ? text.slice(0, maxQuotedCharacters) : text
  const quoted = JSON.stringify(cut.toWellFormed()).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, escapeCharacter)
  return cut === text ? quoted : `${quoted}... (${text.length} characters)`
}

function escapeCharacter(character: string): string {
  return Array.from({ length: character.length }, (_, unit) => {
    return `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`
  }).join('')
}
