/**
 * The start of a text that is kept. A part of a string holds all of it in memory as long as the part lives, so of one that
 * came from outside a copy is made.
 */
export function ownText(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  return Buffer.from(text.slice(0, maxChars), 'utf16le').toString('utf16le');
}
