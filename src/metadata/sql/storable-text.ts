/** Replaces NUL, which PostgreSQL does not store in text. Annotations and labels of clients may contain it. */
export function storableText(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text
}

export function storableOrNull(text: string | undefined): string | null {
  return text === undefined ? null : storableText(text)
}
