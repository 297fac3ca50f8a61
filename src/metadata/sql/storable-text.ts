/** PostgreSQL stores no NUL in text; what clients wrote into annotations and labels may hold one. */
export function storableText(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text
}

export function storableOrNull(text: string | undefined): string | null {
  return text === undefined ? null : storableText(text)
}
