import { isIP } from 'node:net';
import { secretScrubber } from '../../model/text.js';
import type { Notification } from '../notification.js';
import type { AlertLine, Channel, Message, SendDeps } from './channel.js';
import {
  type Delivery,
  linesOf,
  messageFrom,
  passing,
  plainText,
  refusedDelivery,
  shortHash,
} from './channel.js';
import { OutgoingDenied, resolveAllowed } from './outgoing-policy.js';
import { describeNetworkError, withinTime } from './post-outgoing.js';
import type { SettingsOf } from './settings.js';

/** An e-mail before it is sent. */
interface EmailText {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Plain text, and the same as simple HTML for readers that prefer it. Everything in it is escaped. */
export function emailText(message: Message): EmailText {
  const items = message.alerts.map((alert) => `<li>${alertHtml(alert)}</li>`);
  if (message.moreAlerts > 0) items.push(`<li>and ${message.moreAlerts} more</li>`);
  const said = linesOf(message).map(([word, text]) => `${word}: <b>${escapeHtml(text)}</b>`);
  const html = [
    '<!doctype html>',
    `<h2>${escapeHtml(`${message.state}: ${message.headline}`)}</h2>`,
    ...(said.length > 0 ? [`<p>${said.join('<br>')}</p>`] : []),
    `<p>Redis: <b>${escapeHtml(message.instance)}</b><br>Since: ${escapeHtml(message.since)}</p>`,
    ...(items.length > 0 ? [`<ul>${items.join('')}</ul>`] : []),
    ...(message.firstRemedy === null
      ? []
      : [`<p>First remedy: <b>${escapeHtml(message.firstRemedy)}</b></p>`]),
    ...(message.link === null ? [] : [`<p>${linkHtml(message.link, 'Open the console')}</p>`]),
  ].join('\n');
  return { subject: message.subject.slice(0, 200).toWellFormed(), text: plainText(message), html };
}

function alertHtml({ headline, evidence, since, isResolved, runbookUrl }: AlertLine): string {
  const facts = [
    ...(evidence === null ? [] : [`evidence: <b>${escapeHtml(evidence)}</b>`]),
    `since ${escapeHtml(since)}`,
    ...(runbookUrl === null ? [] : [linkHtml(runbookUrl, 'runbook')]),
  ];
  return `${isResolved ? '<i>resolved:</i> ' : ''}${escapeHtml(headline)} (${facts.join('; ')})`;
}

/** Only what a browser opens as a page becomes a link. */
function linkHtml(url: string, label: string): string {
  return /^https?:\/\//i.test(url)
    ? `<a href="${escapeHtml(url)}">${escapeHtml(label)}</a>`
    : escapeHtml(url);
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** Headers that put a group's messages into one thread, and let a mailbox that gets one twice know it. */
function threadHeaders({ id, groupKey }: Notification, domain: string) {
  const root = `<group-${shortHash(groupKey)}@${domain}>`;
  return { messageId: `<${shortHash(id)}@${domain}>`, inReplyTo: root, references: root };
}

const CONNECT_WITHIN_MS = 5_000;
/** Greeting, TLS, login, envelope and text together: mail servers take their time. */
const ANSWER_WITHIN_MS = 30_000;

/** E-mail by SMTP, one connection a message. */
export function emailChannel(settings: SettingsOf<'email'>, deps: SendDeps): Channel {
  const { username, password } = settings;
  // Servers are sent user and password together, in base64, and some repeat what they were sent.
  const login = Buffer.from(`\0${username ?? ''}\0${password ?? ''}`).toString('base64');
  const scrub = secretScrubber([password ?? '', ...(password === null ? [] : [login])]);
  return {
    settings,
    takesAcknowledgements: false,
    refreshEveryMs: null,
    testStatuses: ['firing'],
    async send(notification) {
      try {
        await deliver(settings, deps, notification);
        return { ok: true };
      } catch (error) {
        return whatHappened(error, scrub);
      }
    },
  };
}

async function deliver(
  settings: SettingsOf<'email'>,
  deps: SendDeps,
  notification: Notification,
): Promise<void> {
  const { host, port, tls, ca, username, password, from, to } = settings;
  const connectWithinMs = deps.connectWithinMs ?? CONNECT_WITHIN_MS;
  const answerWithinMs = deps.answerWithinMs ?? ANSWER_WITHIN_MS;
  const [{ address }] = await withinTime(
    resolveAllowed(host, deps.rules, deps.resolve),
    connectWithinMs,
    'its name is not resolved in time',
  );
  // Loaded with the first message: 15 MB that most consoles never need.
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    // The address that was checked; the certificate must still be the name's.
    host: address,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    tls: { ...(isIP(host) === 0 ? { servername: host } : {}), ...(ca ? { ca } : {}) },
    ...(username === null ? {} : { auth: { user: username, pass: password ?? '' } }),
    connectionTimeout: connectWithinMs,
    greetingTimeout: connectWithinMs,
    socketTimeout: answerWithinMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const message = messageFrom(notification, deps.publicUrl);
  const domain = /@([^@>\s]+)>?$/.exec(from)?.[1] ?? 'spillway.invalid';
  try {
    await withinTime(
      transport.sendMail({
        from,
        to: [...to],
        ...emailText(message),
        ...threadHeaders(notification, domain),
        headers: {
          'Auto-Submitted': 'auto-generated',
          'X-Spillway-Notification': shortHash(notification.id),
        },
      }),
      answerWithinMs,
      'no answer in time',
    );
  } finally {
    transport.close();
  }
}

/** RFC 5321: 4xx passes, 5xx does not. What nodemailer calls EAUTH and EENVELOPE is settled by its reply code too. */
function whatHappened(error: unknown, scrub: (text: string) => string): Delivery {
  if (error instanceof OutgoingDenied) return refusedDelivery(scrub(error.message));
  if (!(error instanceof Error)) return passing('it failed for no given reason');
  const code = 'responseCode' in error && typeof error.responseCode === 'number' ? error.responseCode : null;
  if (code === null) return passing(scrub(describeNetworkError(error)));
  const words = 'response' in error && typeof error.response === 'string' ? error.response : '';
  const said = `answered ${scrub(words.replace(/[\p{Cc}\s]+/gu, ' ').trim()).slice(0, 160) || code}`;
  return code >= 500 ? refusedDelivery(said) : passing(said);
}
