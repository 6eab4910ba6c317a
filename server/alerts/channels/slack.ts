import { secretsOfUrl } from '../../model/text.js';
import { type Channel, linesOf, type Message, messageFrom, type SendDeps } from './channel.js';
import { httpChannel } from './post-outgoing.js';
import type { SettingsOf } from './settings.js';

/** A Slack incoming webhook, and whatever takes the same body. */
export function slackChannel(settings: SettingsOf<'slack'>, deps: SendDeps): Channel {
  const { url } = settings;
  return httpChannel(settings, deps, {
    url,
    secrets: secretsOfUrl(url),
    body: (notification) => slackBody(messageFrom(notification, deps.publicUrl)),
  });
}

/** Slack refuses a section above 3,000 characters and a header above 150. */
const MAX_SECTION = 2_800;
const MAX_HEADER = 150;
const SIGNS = { CRITICAL: '🔴', WARNING: '🟠', INFO: '🔵', RESOLVED: '🟢' } as const;

/** Body for an incoming webhook: blocks, and `text` for notifications and readers that show no blocks. */
export function slackBody(message: Message): string {
  const head = `${SIGNS[message.state]} ${message.state}: ${message.headline}`;
  const lines = message.alerts.map(
    ({ headline, evidence, isResolved, runbookUrl }) =>
      `• ${isResolved ? '_resolved:_ ' : ''}${escapeSlack(headline)}${evidence === null ? '' : ` — *${escapeSlack(evidence)}*`}${runbookUrl === null ? '' : ` (${slackLink(runbookUrl, 'runbook')})`}`,
  );
  if (message.moreAlerts > 0) lines.push(`• and ${message.moreAlerts} more`);
  const said = linesOf(message).map(([word, text]) => `*${word}* ${escapeSlack(text)}`);
  const blocks = [
    { type: 'header', text: { type: 'plain_text', text: cut(head, MAX_HEADER), emoji: true } },
    ...(said.length > 0 ? [section(fitLines(said, MAX_SECTION))] : []),
    section(`*Redis* ${escapeSlack(message.instance)}   *Since* ${message.since}`),
    ...(lines.length > 0 ? [section(fitLines(lines, MAX_SECTION))] : []),
    ...(message.firstRemedy === null ? [] : [section(`*First remedy* ${escapeSlack(message.firstRemedy)}`)]),
    ...(message.link === null ? [] : [section(slackLink(message.link, 'Open the console'))]),
  ];
  return JSON.stringify({ text: escapeSlack(message.subject), blocks });
}

/** `&`, `<` and `>` are all that Slack asks for; it also keeps `<!channel>` and `<@user>` from being made by a name. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A bar in the address would end it. */
function slackLink(url: string, label: string): string {
  return /^https?:\/\//i.test(url)
    ? `<${escapeSlack(url).replaceAll('|', '%7C')}|${label}>`
    : escapeSlack(url);
}

function section(text: string) {
  return { type: 'section', text: { type: 'mrkdwn', text: cut(text, MAX_SECTION) } };
}

/** As many whole lines as fit; cutting inside one could split an escape. */
function fitLines(lines: readonly string[], most: number): string {
  let text = '';
  for (const [i, line] of lines.entries()) {
    const next = text === '' ? line : `${text}\n${line}`;
    if (next.length > most - 40)
      return text === '' ? line.slice(0, most) : `${text}\n• and ${lines.length - i} more`;
    text = next;
  }
  return text;
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`;
}
