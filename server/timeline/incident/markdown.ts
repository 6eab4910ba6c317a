/** Text of people, queues and workers as Markdown: it is shown as it is, on one line, whatever signs it holds. */
export function markdownText(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[\\`*_[\]<>|#~]/g, (sign) => `\\${sign}`);
}

/** What somebody wrote for this document, in Markdown of their own; HTML in it is shown and not run. */
export function markdownBlock(text: string): string {
  return text.trim().replace(/</g, '&lt;');
}
