import type { AlertLine, Message } from './message.js';
import { plainText } from './message.js';

/** An e-mail before it is sent. */
export interface EmailText {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Plain text, and the same as simple HTML for readers that prefer it. Everything in it is escaped. */
export function emailText(message: Message): EmailText {
  const items = message.alerts.map((alert) => `<li>${alertHtml(alert)}</li>`);
  if (message.moreAlerts > 0) items.push(`<li>and ${message.moreAlerts} more</li>`);
  const html = [
    '<!doctype html>',
    `<h2>${escapeHtml(`${message.state}: ${message.title}`)}</h2>`,
    `<p>Redis: <b>${escapeHtml(message.instance)}</b><br>Since: ${escapeHtml(message.since)}</p>`,
    ...(items.length > 0 ? [`<ul>${items.join('')}</ul>`] : []),
    ...(message.firstRemedy === null
      ? []
      : [`<p>First remedy: <b>${escapeHtml(message.firstRemedy)}</b></p>`]),
    ...(message.link === null ? [] : [`<p>${linkHtml(message.link, 'Open the console')}</p>`]),
  ].join('\n');
  return { subject: message.subject.slice(0, 200).toWellFormed(), text: plainText(message), html };
}

function alertHtml({ summary, evidence, since, isResolved, runbookUrl }: AlertLine): string {
  const facts = [
    ...(evidence === null ? [] : [`evidence: <b>${escapeHtml(evidence)}</b>`]),
    `since ${escapeHtml(since)}`,
    ...(runbookUrl === null ? [] : [linkHtml(runbookUrl, 'runbook')]),
  ];
  return `${isResolved ? '<i>over:</i> ' : ''}${escapeHtml(summary)} (${facts.join('; ')})`;
}

/** Only what a browser opens as a page becomes a link. */
function linkHtml(url: string, label: string): string {
  return /^https?:\/\//i.test(url)
    ? `<a href="${escapeHtml(url)}">${escapeHtml(label)}</a>`
    : escapeHtml(url);
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/**
 * Headers that put a group's messages into one thread, and let a mailbox that gets one twice know it.
 * @param hash of any text to characters and digits.
 */
export function threadHeaders(
  { id, groupKey }: { readonly id: string; readonly groupKey: string },
  domain: string,
  hash: (text: string) => string,
): { readonly messageId: string; readonly inReplyTo: string; readonly references: string } {
  const root = `<group-${hash(groupKey)}@${domain}>`;
  return { messageId: `<${hash(id)}@${domain}>`, inReplyTo: root, references: root };
}
